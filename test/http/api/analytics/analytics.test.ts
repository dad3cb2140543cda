import { beforeAll, expect, test } from 'vitest';
import { openClickStore } from '../../../../src/analytics/click-store.ts';
import { createApiKeys } from '../../../../src/api-keys/api-keys.ts';
import { problemUri } from '../../../../src/http/problems/problem-types.ts';
import { makeDetail, makeDetailedBatch } from '../../../support/clicks/analytics.ts';
import { readPages } from '../../../support/http/pages.ts';
import { useWeb } from '../../../support/http/web-app.ts';

const web = useWeb();
const day = 'from=2026-11-20&to=2026-11-20';

beforeAll(async () => {
  const { body } = await web
    .client()
    .post('/api/v1/urls', { original_url: 'https://example.com/', custom_code: 'clicked', tags: ['tag'] });
  const urlId = Number(body['id']);
  const lastAtMs = Date.parse('2026-11-20T10:00:30Z');
  await openClickStore(web.database.db()).apply([
    makeDetailedBatch([
      { urlId, count: 2, lastAtMs, detail: makeDetail() },
      {
        urlId,
        count: 1,
        lastAtMs,
        detail: makeDetail({ country: '', isBot: true, botKind: 'ai', visitor: 2 }),
      },
    ]),
  ]);
});

test('clicks by country contain the counted range, visitors and the previous range', async () => {
  const path = `/api/v1/urls/clicked/analytics?${day}&group_by=country&visitors=true&compare=previous`;
  expect((await web.client().get(path)).body).toEqual({
    from: '2026-11-20T00:00:00.000Z',
    to: '2026-11-21T00:00:00.000Z',
    source: 'roll-ups',
    clicks: 3,
    visitors: 2,
    groups: [
      { name: 'DE', clicks: 2, visitors: 1 },
      { name: '', clicks: 1, visitors: 1 },
    ],
    other: 0,
    clicks_without_row: 0,
    previous: { from: '2026-11-19T00:00:00.000Z', to: '2026-11-20T00:00:00.000Z', clicks: 0 },
  });
});

test('an empty filter matches clicks with an unknown value', async () => {
  const { body } = await web.client().get(`/api/v1/urls/clicked/analytics?${day}&country=&group_by=bot`);
  expect(body['groups']).toEqual([
    { name: 'person', clicks: 0, visitors: null },
    { name: 'bot', clicks: 1, visitors: null },
  ]);
});

test('clicks by bot kind are counted for whole and partial days', async () => {
  const query = async (search: string) =>
    (await web.client().get(`/api/v1/urls/clicked/analytics?${search}&group_by=bot_kind`)).body;
  const both = [
    { name: '', clicks: 2, visitors: null },
    { name: 'ai', clicks: 1, visitors: null },
  ];
  expect((await query(day))['groups']).toEqual(both);
  expect((await query('from=2026-11-20T09:00:00Z&to=2026-11-20T12:00:00Z'))['groups']).toEqual(both);
  expect((await query(`${day}&bots=only`))['groups']).toEqual([both[1]]);
  expect((await query(`${day}&bot_kind=ai`))['clicks']).toBe(1);
});

test.each(['country=de', 'country=DE', 'referrer=Example.ORG', 'device=desktop'])(
  'the filter %s matches the stored spelling',
  async (filter) => {
    const { body } = await web.client().get(`/api/v1/urls/clicked/analytics?${day}&bots=exclude&${filter}`);
    expect(body['clicks']).toBe(2);
  },
);

test('without a range the last 30 days are counted', async () => {
  const { body } = await web.client().get('/api/v1/analytics?interval=month&timezone=Asia/Kathmandu');
  expect(body).toMatchObject({ source: 'roll-ups', visitors: null, previous: null });
  const lengthMs = Date.parse(String(body['to'])) - Date.parse(String(body['from']));
  expect(lengthMs).toBe(30 * 86_400_000);
});

test('all accessible short URLs are counted, or those with a tag', async () => {
  const { key } = await createApiKeys(web.database.db()).create('other', {
    ownUrlsOnly: true,
    scopes: ['stats:read'],
  });
  const clicks = async (query: string, client = web.client()) =>
    (await client.get(`/api/v1/analytics?${day}${query}`)).body['clicks'];
  expect(await clicks('')).toBe(3);
  expect(await clicks('&tag=tag&bots=exclude')).toBe(2);
  expect(await clicks('&tag=other')).toBe(0);
  expect(await clicks('', web.client(key))).toBe(0);
});

test('top URLs contain the most clicked short URLs and the total clicks', async () => {
  const { body } = await web.client().get(`/api/v1/analytics/top-urls?${day}&bots=exclude`);
  expect(body).toEqual({
    from: '2026-11-20T00:00:00.000Z',
    to: '2026-11-21T00:00:00.000Z',
    clicks: 2,
    items: [{ short_code: 'clicked', original_url: 'https://example.com/', title: null, clicks: 2 }],
    next_cursor: null,
  });
});

test('unknown codes are listed by day, and hidden from restricted keys', async () => {
  await web.database
    .db()('unknown_codes_daily')
    .insert([
      { day: '2026-11-20', short_code: '*', requests: 5 },
      { day: '2026-11-20', short_code: 'many', requests: 3 },
      { day: '2026-11-20', short_code: 'few', requests: 1 },
      { day: '2026-11-19', short_code: '*', requests: 0 },
      { day: '2026-11-18', short_code: 'older', requests: 2 },
    ]);
  const path = '/api/v1/analytics/unknown-codes?from=2026-11-01&to=2026-11-20&codes=1';
  const days = [
    { day: '2026-11-20', requests: 9, codes: [{ short_code: 'many', requests: 3 }] },
    { day: '2026-11-18', requests: 2, codes: [{ short_code: 'older', requests: 2 }] },
  ];
  expect((await web.client().get(path)).body).toEqual({ items: days, next_cursor: null });
  expect(await readPages(web.client(), `${path}&limit=1`)).toEqual({ items: days, pages: 2 });
  const { key } = await createApiKeys(web.database.db()).create('own', {
    ownUrlsOnly: true,
    scopes: ['stats:read'],
  });
  expect((await web.client(key).get(path)).body).toEqual({ items: [], next_cursor: null });
});

test('erased clicks are in no metric, and the total is kept by default', async () => {
  const body = { original_url: 'https://example.com/', custom_code: 'forgotten' };
  const urlId = Number((await web.client().post('/api/v1/urls', body)).body['id']);
  await openClickStore(web.database.db()).apply([
    makeDetailedBatch([
      { urlId, count: 7, lastAtMs: Date.parse('2026-11-20T10:00:30Z'), detail: makeDetail() },
    ]),
  ]);
  const path = '/api/v1/urls/forgotten';
  const totals = async () => [
    (await web.client().get(`${path}/analytics?${day}`)).body['clicks'],
    (await web.client().get(`${path}/stats`)).body['clicks'],
  ];
  expect((await web.client().delete(`${path}/clicks`)).status).toBe(204);
  expect(await totals()).toEqual([0, 7]);
  expect((await web.client().delete(`${path}/clicks?totals=clear`)).status).toBe(204);
  expect(await totals()).toEqual([0, 0]);
});

test.each(['utc', 'EST', 'est', 'cet', 'europe/BERLIN', 'GMT+0', 'Etc/GMT+5'])(
  'the time zone %s is accepted in any case',
  async (name) => {
    const query = `?timezone=${encodeURIComponent(name)}`;
    expect((await web.client().get(`/api/v1/analytics${query}`)).status).toBe(200);
  },
);

test.each([
  ['timezone=Mars/Olympus', 'timezone must be an IANA time zone, such as Europe/Berlin, or UTC.'],
  ['timezone=%2B05:45', 'timezone must be an IANA time zone, such as Europe/Berlin, or UTC.'],
  ['timezone=US/Pacific-New', 'timezone must be a time zone that the database supports.'],
  [
    'timezone=PST',
    'timezone must be an IANA time zone, such as Europe/Berlin, or UTC; an abbreviation such as PST or IST has several meanings.',
  ],
  [
    'from=2026-11-20T10:00:00%2000:00',
    'from must be a time such as 2027-01-31T12:00:00Z or a day such as 2027-01-31; encode "+" as %2B in a query.',
  ],
  ['from=yesterday', 'from must be a time such as 2027-01-31T12:00:00Z or a day such as 2027-01-31.'],
  ['from=2026-02-30', 'from must be a time such as 2027-01-31T12:00:00Z or a day such as 2027-01-31.'],
  ['from=1999-12-31', 'from must be between the years 2000 and 2999.'],
  ['from=2026-11-20&to=2026-11-19', 'to must be after from.'],
  [
    'from=2025-01-01&to=2026-11-20&interval=hour',
    'interval must give at most 10000 groups for this range, not 16536.',
  ],
  ['bots=none', 'bots must be one of include, exclude, only.'],
  ['country=Germany', 'country must be a country code of ISO 3166-1, such as DE, or empty.'],
  ['country=XX', 'country must be a country code of ISO 3166-1, such as DE, or empty.'],
  ['country=T1', 'country must be a country code of ISO 3166-1, such as DE, or empty.'],
  [
    'referrer=https://example.org/',
    'referrer must be a host name without scheme and path, such as example.com, an app, or empty.',
  ],
  ['device=phone', 'device must be empty or one of desktop, mobile, tablet, tv, console, wearable, car.'],
  ['bot_kind=robot', 'bot_kind must be empty or one of search, preview, ai, monitor, feed, other.'],
  ['os=%00', 'os must not contain control characters.'],
  ['color=red', 'color is not a known field.'],
])('%s is rejected with a reason', async (query, detail) => {
  const answer = await web.client().get(`/api/v1/urls/clicked/analytics?${query}`);
  expect(answer.status).toBe(422);
  expect(answer.body['detail']).toEqual(detail);
});

test('minutes before the retention period are rejected with its start', async () => {
  await web.database.db()('analytics_state').update({ events_since: '2026-11-20T00:00:00Z' });
  const answer = await web
    .client()
    .get('/api/v1/urls/clicked/analytics?from=2026-11-19&to=2026-11-20&interval=minute');
  expect(answer.status).toBe(422);
  expect(answer.body['type']).toBe(problemUri('retention-exceeded', web.baseUrl()));
  expect(answer.body['detail']).toBe(
    'Minutes and filters need single click events, which are retained since 2026-11-20T00:00:00.000Z.',
  );
});
