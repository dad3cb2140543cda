import { beforeAll, describe, expect, test } from 'vitest';
import { createApiKeys } from '../../../../src/api-keys/api-keys.ts';
import { findLargeOwners } from '../../../../src/urls/kept-lists/large-owners.ts';
import { createLeaderStore } from '../../../../src/urls/kept-lists/leaders.ts';
import { createSummaryPassStore } from '../../../../src/urls/kept-lists/summary-pass.ts';
import { summariseUrls } from '../../../../workers/jobs/urls/summarise-urls.ts';
import { readPages } from '../../../support/http/pages.ts';
import { useWeb } from '../../../support/http/web-app.ts';
import { createJobContext } from '../../../support/job-context.ts';
import { createRandom } from '../../../support/random.ts';
import { createUrl } from '../../../support/urls/urls.ts';

const web = useWeb();

interface Page {
  items: Record<string, unknown>[];
  next_cursor: string | null;
  as_of: string | null;
}

async function get(path: string, client = web.client()): Promise<Page> {
  const answer = await client.get(path);
  expect(answer.status, path).toBe(200);
  expect(answer.body['detail'], path).toBeUndefined();
  return answer.body as unknown as Page;
}

type Query = Record<string, string> | [string, string][];

const pathOf = (query: Query) => `/api/v1/urls?${new URLSearchParams(query).toString()}`;

const list = async (query: Query = {}) => await get(pathOf(query));

/** The short codes in a list. */
const codes = async (query: Query = {}) => (await list(query)).items.map((item) => item['short_code']);

/** Reads all pages of a list. */
async function walk(query: Record<string, string>): Promise<unknown[]> {
  const found: unknown[] = [];
  let page = await list(query);
  for (;;) {
    found.push(...page.items.map((item) => item['short_code']));
    if (page.next_cursor === null) return found;
    page = await list({ ...query, cursor: page.next_cursor });
  }
}

async function problemWith(query: Record<string, string>) {
  const answer = await web.client().get(pathOf(query));
  return { status: answer.status, errors: answer.body['errors'] };
}

/** Changes short URLs by SQL, like another program. */
async function set(code: string, columns: Record<string, unknown>): Promise<void> {
  await web.database.db()('urls').where({ short_code: code }).update(columns);
}

async function click(code: string, count: number, at: string): Promise<void> {
  await web.database.db().raw(
    `update url_stats set click_count = :count, last_accessed_at = :at
     where url_id = (select id from urls where short_code = :code)`,
    { code, count, at },
  );
}

beforeAll(async () => {
  const client = web.client();
  await createUrl(client, { custom_code: 'bread', original_url: 'https://Bakery.example/rye?a_b=100%25' });
  await createUrl(client, { custom_code: 'cake', original_url: 'https://bakery.example:8443/CAKE' });
  await createUrl(client, {
    custom_code: 'tea-1',
    original_url: 'http://tea.example/bakery',
    expires_in_hours: 1,
  });
  await createUrl(client, { custom_code: 'idn1', original_url: 'https://bücher.example/' });
  await createUrl(client, { custom_code: 'gone' });
  await client.delete('/api/v1/urls/gone');
  await set('bread', { title: 'How to bake', tags: ['food', 'spring sale'] });
  await set('cake', { tags: ['food'], is_active: false });
  await set('tea-1', { created_at: '2020-02-03T04:05:06.000007Z', expires_at: '2021-01-01T00:00:00Z' });
  await click('bread', 7, '2026-01-01T00:00:00Z');
  await click('tea-1', 9, '2025-01-01T00:00:00Z');
});

describe('a list', () => {
  test('contains short URLs as in get, newest first, without deleted ones', async () => {
    const { items, next_cursor } = await list();
    expect(items.map((item) => item['short_code'])).toEqual(['idn1', 'cake', 'bread', 'tea-1']);
    expect(next_cursor).toBeNull();
    const { body } = await web.client().get('/api/v1/urls/bread');
    expect(items[2]).toEqual({ ...body, last_accessed_at: '2026-01-01T00:00:00.000Z' });
  });

  test.each([
    ['created', ['tea-1', 'bread', 'cake', 'idn1']],
    ['-created', ['idn1', 'cake', 'bread', 'tea-1']],
    ['clicks', ['cake', 'idn1', 'bread', 'tea-1']],
    ['-clicks', ['tea-1', 'bread', 'idn1', 'cake']],
    ['last_click', ['cake', 'idn1', 'tea-1', 'bread']],
    ['-last_click', ['bread', 'tea-1', 'idn1', 'cake']],
  ])('sorted by %s has the same order in one page and in pages of one', async (sort, expected) => {
    expect(await codes({ sort })).toEqual(expected);
    expect(await walk({ sort, limit: '1' })).toEqual(expected);
  });

  test.each<[string, Query, string[]]>([
    ['text in a title, in any case', { q: 'HOW to' }, ['bread']],
    ['text in an original URL, in any case', { q: '/cake' }, ['cake']],
    ['text in a short code', { q: 'tea-' }, ['tea-1']],
    ['text in several fields', { q: 'bakery' }, ['cake', 'bread', 'tea-1']],
    ['a whole tag', { q: 'spring sale' }, ['bread']],
    ['what only the end of one field and the beginning of the next make up', { q: 'breadhow' }, []],
    ['a percent sign, which stands for itself', { q: '100%25' }, ['bread']],
    ['a percent sign that would stand for anything', { q: 'b%y' }, []],
    ['an underscore, which stands for itself', { q: 'a_b=' }, ['bread']],
    ['an underscore that would stand for any character', { q: 'tea_1' }, []],
    ['a backslash, which stands for itself', { q: 'tea\\-1' }, []],
    ['a tag', { tag: 'food' }, ['cake', 'bread']],
    [
      'two tags, of which it must have both',
      [
        ['tag', 'food'],
        ['tag', 'spring sale'],
      ],
      ['bread'],
    ],
    ['active ones', { is_active: 'true' }, ['idn1', 'bread', 'tea-1']],
    ['inactive ones', { is_active: 'false' }, ['cake']],
    ['expired ones', { expired: 'true' }, ['tea-1']],
    ['unexpired ones', { expired: 'false' }, ['idn1', 'cake', 'bread']],
    [
      'from a time on, which is included',
      { created_from: '2020-02-03T04:05:06.000Z', created_before: '2021-01-01T00:00:00Z' },
      ['tea-1'],
    ],
    ['before a time', { created_before: '2020-02-03T04:05:07+01:00' }, []],
    ['a host, in any spelling, with whatever port', { host: 'BAKERY.example' }, ['cake', 'bread']],
    ['a host in Unicode', { host: 'bücher.example' }, ['idn1']],
    ['a part of a host', { host: 'example' }, []],
    ['an API key that created none', { created_by: '999' }, []],
    ['several things at once', { tag: 'food', is_active: 'true', q: 'rye' }, ['bread']],
  ])('filtered by %s contains only matches', async (_, query, expected) => {
    expect(await codes(query)).toEqual(expected);
  });

  test.each<[string, Record<string, string>, RegExp]>([
    ['q', { q: 'ab' }, /^must have at least 3 characters$/],
    ['q', { q: 'a'.repeat(201) }, /^must have at most 200 characters$/],
    ['q', { q: 'abc\0' }, /^must not contain control characters$/],
    ['tag.0', { tag: '' }, /^must not be empty$/],
    ['is_active', { is_active: 'yes' }, /^must be true or false$/],
    ['expired', { expired: '' }, /^must be true or false$/],
    ['created_by', { created_by: 'me' }, /^must be a number$/],
    ['created_by', { created_by: '1e300' }, /^must be a whole number$/],
    ['created_from', { created_from: 'yesterday' }, /^must be a time such as/],
    ['host', { host: 'example.com:80' }, /^must be a host name/],
    ['host', { host: 'example.com/path' }, /^must be a host name/],
    ['host', { host: 'user@example.com' }, /^must be a host name/],
    ['host', { host: 'exa mple' }, /^must be a host name/],
    ['sort', { sort: 'title' }, /^must be one of created, -created, /],
    ['limit', { limit: '0' }, /^must be at least 1$/],
    ['limit', { limit: '201' }, /^must be at most 200$/],
    ['cursor', { cursor: '' }, /^must be a cursor of this list$/],
    ['cursor', { cursor: 'a'.repeat(201) }, /^must be a cursor of this list$/],
    ['colour', { colour: 'red' }, /^is not a known field$/],
  ])('with an invalid %s is rejected: %j', async (field, query, detail) => {
    expect(await problemWith(query)).toEqual({
      status: 422,
      errors: [{ field, detail: expect.stringMatching(detail) }],
    });
  });
});

describe('a cursor', () => {
  test('is valid for its own list only', async () => {
    const query = { sort: '-clicks', tag: 'food', limit: '1' };
    const cursor = (await list(query)).next_cursor!;
    expect(await codes({ ...query, limit: '5', cursor })).toEqual(['cake']);
    const others: Record<string, string>[] = [{ sort: 'clicks' }, { tag: 'drink' }, { q: 'cake' }];
    for (const other of others) {
      expect((await problemWith({ ...query, ...other, cursor })).status).toBe(422);
    }
    const { key } = await createApiKeys(web.database.db()).create('own', {
      scopes: ['urls:read'],
      ownUrlsOnly: true,
      expiresAt: null,
    });
    const foreign = await web.client(key).get(pathOf({ ...query, cursor }));
    expect(foreign.status).toBe(422);
  });

  test('is rejected if any character was changed', async () => {
    const cursor = (await list({ limit: '1' })).next_cursor!;
    const random = createRandom('cursor');
    const tampered = [
      cursor.slice(1),
      `${cursor}AAAA`,
      Buffer.from('[]').toString('base64url'),
      Buffer.from('{"value":1}').toString('base64url'),
      ...Array.from({ length: 20 }, () => {
        const at = random.between(0, cursor.length - 2);
        return `${cursor.slice(0, at)}${cursor[at] === 'x' ? 'y' : 'x'}${cursor.slice(at + 1)}`;
      }),
    ];
    for (const wrong of tampered) {
      expect(await problemWith({ limit: '1', cursor: wrong }), wrong).toEqual({
        status: 422,
        errors: [{ field: 'cursor', detail: 'must be a cursor of this list' }],
      });
    }
  });
});

describe('a restricted key', () => {
  test('lists only its own short URLs, tags and hosts', async () => {
    const { key } = await createApiKeys(web.database.db()).create('owner', {
      scopes: ['urls:read', 'urls:write'],
      ownUrlsOnly: true,
      expiresAt: null,
    });
    const client = web.client(key);
    const own = await createUrl(client, { original_url: 'https://bakery.example/own' });
    await set(own, { tags: ['food'] });
    const items = async (path: string) => (await get(path, client)).items;
    expect((await items('/api/v1/urls')).map((item) => item['short_code'])).toEqual([own]);
    expect(await items('/api/v1/urls?created_by=1')).toEqual([]);
    expect(await items('/api/v1/tags')).toEqual([{ name: 'food', urls: 1, clicks: 0 }]);
    expect(await items('/api/v1/hosts')).toEqual([{ name: 'bakery.example', urls: 1, clicks: 0 }]);
    await client.delete(`/api/v1/urls/${own}`);
  });
});

describe('a summary', () => {
  test('counts short URLs and clicks by tag in the requested order', async () => {
    const food = { name: 'food', urls: 2, clicks: 7 };
    const sale = { name: 'spring sale', urls: 1, clicks: 7 };
    expect((await get('/api/v1/tags')).items).toEqual([food, sale]);
    expect((await get('/api/v1/tags?sort=clicks&limit=1')).items).toEqual([food]);
    await set('idn1', { tags: ['a last one'] });
    const names = (await get('/api/v1/tags?sort=name')).items.map((item) => item['name']);
    expect(names).toEqual(['a last one', 'food', 'spring sale']);
    for (const sort of ['urls', 'clicks', 'name']) {
      const all = (await get(`/api/v1/tags?sort=${sort}`)).items;
      const paged = await readPages(web.client(), `/api/v1/tags?sort=${sort}&limit=1`);
      expect(paged).toEqual({ items: all, pages: 3 });
    }
    await set('idn1', { tags: [] });
  });

  test('counts short URLs and clicks by host without the port', async () => {
    expect((await get('/api/v1/hosts')).items).toEqual([
      { name: 'bakery.example', urls: 2, clicks: 7 },
      { name: 'tea.example', urls: 1, clicks: 9 },
      { name: 'xn--bcher-kva.example', urls: 1, clicks: 0 },
    ]);
    expect((await get('/api/v1/hosts?sort=clicks&limit=1')).items).toEqual([
      { name: 'tea.example', urls: 1, clicks: 9 },
    ]);
  });

  test('has the time of its count where the job keeps it, as has a list by clicks', async () => {
    const paths = ['/api/v1/tags', '/api/v1/hosts', '/api/v1/urls?sort=-clicks&limit=1'];
    const made = await Promise.all(paths.map(async (path) => await get(path)));
    expect(made.map((page) => page.as_of)).toEqual([null, null, null]);
    const db = web.database.db();
    const summarise = async (above: number) =>
      await summariseUrls(
        {
          summaries: createSummaryPassStore(db),
          leaders: createLeaderStore(db),
          findLargeOwners: async () => await findLargeOwners(db, above),
        },
        { leaderCount: 10, always: true },
        createJobContext(),
      );
    await summarise(0);
    for (const [i, path] of paths.entries()) {
      const { as_of, ...kept } = await get(path);
      expect(Date.parse(as_of!)).toBeGreaterThan(Date.now() - 60_000);
      expect({ ...kept, as_of: null }).toEqual(made[i]);
    }
    await summarise(1_000_000);
  });

  test.each(['sort=first', 'limit=0', 'limit=201', 'q=food'])(
    'with an invalid query is rejected: %s',
    async (query) => {
      for (const path of ['/api/v1/tags', '/api/v1/hosts'])
        expect((await web.client().get(`${path}?${query}`)).status).toBe(422);
    },
  );
});
