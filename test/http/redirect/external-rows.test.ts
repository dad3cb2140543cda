import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { useWeb } from '../../support/http/web-app.ts';
import { connectExternalClient, type ExternalClient } from '../../support/urls/external-client.ts';

const web = useWeb({ METRICS_PUBLIC: 'true' });
let external: ExternalClient;
beforeAll(async () => {
  external = await connectExternalClient(web.database.url());
});
afterAll(async () => await external.close());

/** Inserts a row that the constraints of the database now reject. */
async function insertUnchecked(row: Record<string, unknown>): Promise<void> {
  const names = Object.keys(row);
  await external.run(`set session_replication_role = replica`);
  try {
    const [inserted] = await external.run(
      `insert into urls (${names.join(', ')}) values (${names.map((_, i) => `$${i + 1}`).join(', ')}) returning id`,
      Object.values(row),
    );
    await external.run('insert into url_stats (url_id) values ($1)', [inserted!['id']]);
  } finally {
    await external.run(`set session_replication_role = origin`);
  }
}

/** Requests a code until it is in the memory cache; returns status and `Location` of each response. */
async function visit(code: string): Promise<string[]> {
  const answers: string[] = [];
  for (let i = 0; i < 3; i += 1) {
    const { status, headers } = await web.client(null).get(`/${code}`);
    answers.push(`${status} ${headers.get('location') ?? ''}`.trim());
  }
  return [...new Set(answers)];
}

test.each([
  ['https://日本.example/😀', 'https://xn--wgv71a.example/%F0%9F%98%80'],
  ['HTTPS://EXAMPLE.com', 'https://example.com/'],
  ['https://ẞ.com/?ü#ß', 'https://xn--zca.com/?%C3%BC#%C3%9F'],
  ['  https://example.com/a b\n', 'https://example.com/a%20b'],
  ['https://example.com/\r\nSet-Cookie: a=b', 'https://example.com/Set-Cookie:%20a=b'],
  ['https://example.com/\u0001\u007f\u{202e}', 'https://example.com/%01%7F%E2%80%AE'],
  ['https:example.com', 'https://example.com/'],
  ['ftp://example.com/ü', 'ftp://example.com/%C3%BC'],
  ['mailto:jürgen@example.com', 'mailto:j%C3%BCrgen@example.com'],
])('a redirect to "%s" of another program has an ASCII Location', async (stored, location) => {
  const code = `ascii-${location.length}-${stored.length}`;
  await external.run('insert into urls (short_code, original_url) values ($1, $2)', [code, stored]);
  expect(await visit(code)).toEqual([`301 ${location}`]);
});

const unusable = [
  'javascript:alert(1)',
  ' \u0001jaVa\tscript:alert(1)',
  'data:text/html,<script>alert(1)</script>',
  'vbscript:x',
  'blob:https://example.com/x',
  'file:///etc/passwd',
  'view-source:https://example.com/',
  '/path',
  'example.com/page',
  '//example.com/',
  '',
  `https://example.com/${'a'.repeat(40_000)}`,
];

describe('a URL that cannot be a Location header', () => {
  test.each(unusable)('"%.40s" violates a named constraint of the database', async (url) => {
    const insert = external.run(`insert into urls (short_code, original_url) values ('refused', $1)`, [url]);
    await expect(insert).rejects.toMatchObject({
      code: '23514',
      constraint: 'urls_original_url_usable',
      column: 'original_url',
    });
  });

  test('that is already stored answers 404, and is logged and counted once', async () => {
    for (const [i, url] of [...unusable, 'https://', 'https://exa mple.com', 'https://[::1'].entries()) {
      await insertUnchecked({ short_code: `broken-${i}`, original_url: url });
      expect(await visit(`broken-${i}`), url).toEqual(['404']);
      const shown = await web.client().get(`/api/v1/urls/broken-${i}`);
      expect(shown.status).toBe(200);
      expect(shown.body['original_url']).toBe(url);
      expect((await web.client(null).get(`/broken-${i}+`)).status).toBe(404);
    }
    const lines = web.output().match(/failed to redirect to a URL that another program stored/g);
    expect(lines).toHaveLength(unusable.length + 3);
    expect(web.output()).toMatch(/"urlId":\d+,"shortCode":"broken-0","field":"original_url"/);
    expect(web.output()).not.toContain('alert(1)');
    const text = await (await fetch(`${web.baseUrl()}/metrics`)).text();
    expect(text).toContain(`linkmill_unusable_urls_total ${unusable.length + 3}`);

    const change = { original_url: 'https://example.com/repaired' };
    expect((await web.client().patch('/api/v1/urls/broken-0', { title: 'found' })).status).toBe(200);
    expect((await web.client().patch('/api/v1/urls/broken-0', change)).status).toBe(200);
    expect(await visit('broken-0')).toEqual(['301 https://example.com/repaired']);
    expect((await web.client().delete('/api/v1/urls/broken-1')).status).toBe(204);
  });

  test('as a fallback URL leaves the short URL expired', async () => {
    const fallback = { fallback_url: 'javascript:alert(1)', expires_at: '2020-01-01' };
    await insertUnchecked({ short_code: 'bad-fallback', original_url: 'https://example.com/', ...fallback });
    expect(await visit('bad-fallback')).toEqual(['410']);
  });

  test('in Redis, from an earlier release, is read from the database instead', async () => {
    const code = 'cached-before';
    await external.run('insert into urls (short_code, original_url) values ($1, $2)', [
      code,
      'https://bücher.example/',
    ]);
    await web.redis.redis().set(`${web.redis.prefix}:url:${code}`, `900000000:1,,https://bücher.example/`);
    expect(await visit(code)).toEqual(['301 https://xn--bcher-kva.example/']);
  });
});

test('unusual values from external writes cause no errors', async () => {
  const rows = {
    never: { expires_at: 'infinity', starts_at: '-infinity' },
    past: { expires_at: '0044-03-15 BC' },
    'far-future': { expires_at: '200000-01-01' },
    many: { max_clicks: '9223372036854775807' },
    odd: { title: '\u0001\r\n<b>\u202e', notes: '', tags: '{a,NULL,"",ü}' },
    nested: { tags: '{{a,b},{c,d}}' },
    garbage: { password_hash: '$scrypt$ln=99,r=0,p=0$garbage', is_one_time: false },
    blank: { password_hash: '' },
    endless: { created_at: 'infinity', updated_at: '-infinity' },
    versioned: { version: '9223372036854775807' },
  };
  for (const [code, row] of Object.entries(rows))
    await insertUnchecked({ short_code: code, original_url: 'https://example.com/', ...row });
  const statuses = Object.keys(rows).map(async (code) => {
    const visited = await web.client(null).get(`/${code}`);
    const preview = await web.client(null).get(`/${code}+`);
    const shown = await web.client().get(`/api/v1/urls/${code}`);
    return [code, visited.status, preview.status, shown.status];
  });
  expect(await Promise.all(statuses)).toEqual([
    ['never', 301, 200, 200],
    ['past', 410, 410, 410],
    ['far-future', 301, 200, 200],
    ['many', 301, 200, 200],
    ['odd', 301, 200, 200],
    ['nested', 301, 200, 200],
    ['garbage', 200, 200, 200],
    ['blank', 200, 200, 200],
    ['endless', 301, 200, 200],
    ['versioned', 301, 200, 200],
  ]);
  const { body } = await web.client().get('/api/v1/urls/never');
  expect(body['starts_at']).toBe('0001-01-01T00:00:00.000Z');
  expect(body['expires_at']).toBe('9999-12-31T23:59:59.999Z');
  expect((await web.client().get('/api/v1/urls/odd')).body['tags']).toEqual(['a', '', 'ü']);
  expect((await web.client().get('/api/v1/urls/nested')).body['tags']).toEqual(['a', 'b', 'c', 'd']);
  const opened = await fetch(`${web.baseUrl()}/garbage`, {
    method: 'POST',
    body: new URLSearchParams({ password: 'x' }),
    redirect: 'manual',
  });
  expect(opened.status).toBe(403);
  for (let cursor = '', page = 0; page < 40; page += 1) {
    const list = await web.client().get(`/api/v1/urls?limit=1&sort=created${cursor}`);
    expect(list.status, cursor).toBe(200);
    const next = list.body['next_cursor'];
    if (typeof next !== 'string') break;
    cursor = `&cursor=${encodeURIComponent(next)}`;
  }
});

test('an invalid short code from an external write answers 404, and the API lists it', async () => {
  const codes = ['a/b', 'a b', 'a%20', 'a?b', '', '*', '\u{1}', '\u{202e}', 'x'.repeat(3_000), 'admin', '..'];
  for (const code of codes)
    await external.run('insert into urls (short_code, original_url) values ($1, $2)', [
      code,
      'https://example.com/odd-code',
    ]);
  for (const code of codes.slice(0, 4))
    expect((await web.client(null).get(`/${encodeURIComponent(code)}`)).status).toBe(404);
  const { status, body } = await web.client().get('/api/v1/urls?host=example.com&limit=100');
  expect(status).toBe(200);
  const shown = (body['items'] as { short_code: string }[]).map(({ short_code }) => short_code);
  expect(shown).toEqual(expect.arrayContaining(codes));
});
