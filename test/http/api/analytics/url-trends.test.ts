import { beforeAll, expect, test } from 'vitest';
import { openClickStore } from '../../../../src/analytics/click-store.ts';
import { createApiKeys } from '../../../../src/api-keys/api-keys.ts';
import { makeDetail, makeDetailedBatch } from '../../../support/clicks/analytics.ts';
import { useWeb } from '../../../support/http/web-app.ts';

const web = useWeb({ RATE_LIMIT_PER_KEY: '1000' });
const path = '/api/v1/analytics/urls';
const days = { from: '2026-11-19', to: '2026-11-21' };

const codes = (count: number) => Array.from({ length: count }, (_, i) => `code-${i}`);
const ask = async (body: Record<string, unknown>, key?: string) => await web.client(key).post(path, body);

beforeAll(async () => {
  const create = async (code: string) =>
    Number(
      (await web.client().post('/api/v1/urls', { original_url: 'https://example.com/', custom_code: code }))
        .body['id'],
    );
  const [first, second] = [await create('first'), await create('second')];
  await create('quiet');
  await create('deleted');
  await web.client().delete('/api/v1/urls/deleted');
  await web.client().patch('/api/v1/urls/second', { short_code: 'renamed' });
  const click = (urlId: number, time: string, count: number, isBot = false) => ({
    urlId,
    count,
    lastAtMs: Date.parse(time),
    detail: makeDetail({ isBot }),
  });
  await openClickStore(web.database.db()).apply([
    makeDetailedBatch([
      click(first, '2026-11-19T10:00:30Z', 2),
      click(first, '2026-11-21T23:50:00Z', 4),
      click(first, '2026-11-21T08:00:00Z', 1, true),
      click(second, '2026-11-20T00:10:00Z', 8),
    ]),
  ]);
});

test('clicks of many short URLs are counted by day, in the order of the request', async () => {
  const { status, body } = await ask({ ...days, short_codes: ['quiet', 'first', 'renamed'] });
  expect({ status, body }).toEqual({
    status: 200,
    body: {
      from: '2026-11-19T00:00:00.000Z',
      to: '2026-11-22T00:00:00.000Z',
      intervals: ['2026-11-19T00:00:00.000Z', '2026-11-20T00:00:00.000Z', '2026-11-21T00:00:00.000Z'],
      items: [
        { short_code: 'quiet', clicks: [0, 0, 0] },
        { short_code: 'first', clicks: [2, 0, 5] },
        { short_code: 'renamed', clicks: [0, 8, 0] },
      ],
    },
  });
});

test('the counts equal those of the analytics of each short URL', async () => {
  const query = { ...days, timezone: 'Asia/Kathmandu', interval: 'hour', bots: 'exclude' };
  const { body } = await ask({ ...query, short_codes: ['first', 'renamed'] });
  const items = body['items'] as { short_code: string; clicks: number[] }[];
  for (const { short_code: code, clicks } of items) {
    const single = await web
      .client()
      .get(`/api/v1/urls/${code}/analytics?${new URLSearchParams(query).toString()}`);
    const groups = single.body['groups'] as { name: string; clicks: number }[];
    expect(clicks).toEqual(groups.map((group) => group.clicks));
    expect(body['intervals']).toEqual(groups.map((group) => group.name));
    expect(clicks.some((count) => count > 0)).toBe(true);
  }
});

test('an old code is answered under that code, and a repeated code once', async () => {
  const { body } = await ask({ ...days, short_codes: ['second', 'renamed', 'second'] });
  expect(body['items']).toEqual([
    { short_code: 'second', clicks: [0, 8, 0] },
    { short_code: 'renamed', clicks: [0, 8, 0] },
  ]);
});

test('unknown, deleted, invalid codes and those of other keys are left out', async () => {
  const { body } = await ask({ ...days, short_codes: ['unknown', 'deleted', 'a\u0000b', '', 'quiet'] });
  expect(body['items']).toEqual([{ short_code: 'quiet', clicks: [0, 0, 0] }]);

  const { key } = await createApiKeys(web.database.db()).create('other', {
    ownUrlsOnly: true,
    scopes: ['stats:read'],
  });
  const other = await ask({ ...days, short_codes: ['first', 'second'] }, key);
  expect(other.body['items']).toEqual([]);
});

test('a key without the scope for statistics gets 403', async () => {
  const { key } = await createApiKeys(web.database.db()).create('reader', { scopes: ['urls:read'] });
  expect((await ask({ short_codes: ['first'] }, key)).status).toBe(403);
});

test('without a range the last 30 days are counted', async () => {
  const { body } = await ask({ short_codes: ['first'] });
  expect(body['intervals']).toHaveLength(30);
});

test('200 codes count as 20 requests', async () => {
  const remaining = async (count: number) =>
    Number((await ask({ short_codes: codes(count) })).headers.get('ratelimit-remaining'));
  const before = await remaining(1);
  expect(before - (await remaining(200))).toBe(20);
});

test.each([
  ['no codes', {}, 'short_codes'],
  ['an empty list', { short_codes: [] }, 'short_codes'],
  ['a number as a code', { short_codes: [7] }, 'short_codes.0'],
  ['201 codes', { short_codes: codes(201) }, 'short_codes'],
  ['minutes', { short_codes: ['first'], interval: 'minute' }, 'interval'],
  ['too many hours', { short_codes: ['first'], interval: 'hour', from: '2020-01-01' }, 'interval'],
  ['an unknown time zone', { short_codes: ['first'], timezone: 'Mars/Olympus' }, 'timezone'],
  ['a number as a time', { short_codes: ['first'], from: 7 }, 'from'],
  ['an empty range', { short_codes: ['first'], from: '2026-11-21', to: '2026-11-20' }, 'to'],
  ['an unknown field', { short_codes: ['first'], group_by: 'country' }, 'group_by'],
])('a request with %s is a 422 that names the field', async (_, body, field) => {
  const answer = await ask(body);
  expect(answer.status).toBe(422);
  expect(answer.body['errors']).toMatchObject([{ field }]);
});
