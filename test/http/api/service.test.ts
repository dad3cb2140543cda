import { expect, test } from 'vitest';
import { createApiKeys } from '../../../src/api-keys/api-keys.ts';
import { version } from '../../../src/version.ts';
import { useWeb } from '../../support/http/web-app.ts';

const path = '/api/v1/service';

const web = useWeb({ RATE_LIMIT_PER_KEY: '6000' });
const strict = useWeb({
  SITE_NAME: 'Short & sweet',
  CLICK_DETAIL: 'rollup',
  COUNTRY_HEADER: 'CF-IPCountry',
  RETENTION_DAYS: '3',
  CODE_REUSE_AFTER_DAYS: '4',
  ANALYTICS_RETENTION_DAYS: '5',
  TRANSFER_RETENTION_DAYS: '6',
  CUSTOM_CODE_MIN_LENGTH: '2',
  CUSTOM_CODE_MAX_LENGTH: '20',
  CUSTOM_CODE_CHARACTERS: 'unicode',
  MAX_URL_LENGTH: '100',
  ALLOWED_SCHEMES: 'mailto',
  IMPORT_MAX_FILE_MB: '1',
  RATE_LIMIT_PER_KEY: '0',
  METRICS_TOKEN: 'a secret of the operator',
});

test('every API key gets the version, retention periods, code rules, limits and features', async () => {
  const { key } = await createApiKeys(web.database.db()).create('least', {
    scopes: ['stats:read'],
    ownUrlsOnly: true,
  });
  const { status, body } = await web.client(key).get(path);
  expect(status).toBe(200);
  expect(body).toEqual({
    service: 'linkmill',
    version,
    site_name: 'Linkmill',
    base_url: web.baseUrl(),
    click_detail: 'full',
    retention: { deleted_urls_days: 30, code_reuse_days: 90, click_events_days: 90, transfers_days: 7 },
    code: { min_length: 4, max_length: 32, characters: 'ascii', ignores_case: false },
    schemes: ['http', 'https'],
    limits: {
      bulk_items: 1_000,
      list_items: 200,
      url_length: 2_048,
      title_length: 200,
      notes_length: 2_000,
      tags: 20,
      tag_length: 50,
      import_bytes: 1_024_000_000,
      transfers: 10,
      requests_per_minute: 6_000,
    },
    features: { click_events: true, visitors: true, countries: false, private_urls: expect.any(Boolean) },
  });
});

test('the settings of the operator are in the answer, and no secret', async () => {
  const { body } = await strict.client().get(path);
  expect(body).toMatchObject({
    site_name: 'Short & sweet',
    click_detail: 'rollup',
    retention: { deleted_urls_days: 3, code_reuse_days: 4, click_events_days: 5, transfers_days: 6 },
    code: { min_length: 2, max_length: 20, characters: 'unicode' },
    schemes: ['http', 'https', 'mailto'],
    limits: { url_length: 100, import_bytes: 1_000_000, requests_per_minute: null },
    features: { click_events: false, visitors: false, countries: true },
  });
  expect(JSON.stringify(body)).not.toContain('secret');
});

test('the limits are those that the service enforces', async () => {
  const { limits, code } = (await strict.client().get(path)).body as unknown as {
    limits: Record<string, number>;
    code: Record<string, number>;
  };
  const create = async (input: object) => (await strict.client().post('/api/v1/urls', input)).status;
  const ofLength = (length: number) => 'https://example.com/'.padEnd(length, 'x');
  expect(await create({ original_url: ofLength(limits['url_length']!) })).toBe(201);
  expect(await create({ original_url: ofLength(limits['url_length']! + 1) })).toBe(422);
  for (const [field, limit] of [
    ['title', 'title_length'],
    ['notes', 'notes_length'],
  ] as const) {
    expect(await create({ original_url: ofLength(30), [field]: 'x'.repeat(limits[limit]!) })).toBe(201);
    expect(await create({ original_url: ofLength(30), [field]: 'x'.repeat(limits[limit]! + 1) })).toBe(422);
  }
  expect(await create({ original_url: ofLength(30), custom_code: 'x'.repeat(code['max_length']!) })).toBe(
    201,
  );
  expect(await create({ original_url: ofLength(30), custom_code: 'x'.repeat(code['max_length']! + 1) })).toBe(
    422,
  );
  const list = async (limit: number) => (await strict.client().get(`/api/v1/urls?limit=${limit}`)).status;
  expect([await list(limits['list_items']!), await list(limits['list_items']! + 1)]).toEqual([200, 422]);
});

test('a request without an API key is rejected', async () => {
  expect(await web.client(null).get(path)).toBeProblem('unauthorized');
});
