import { expect, test } from 'vitest';
import { createApiKeys } from '../../../../src/api-keys/api-keys.ts';
import { useWeb } from '../../../support/http/web-app.ts';

const web = useWeb();
const original_url = 'https://example.com/page';

async function reserveCodes(count: number): Promise<string[]> {
  const answer = await web.client().get(`/api/v1/codes?count=${count}`);
  expect(answer.status).toBe(200);
  return answer.body['codes'] as string[];
}

test('POST reserves codes for its API key, and validates the count', async () => {
  const reserve = async (body?: object) => await web.client().post('/api/v1/codes/reservations', body);
  const [three, one] = [await reserve({ count: 3 }), await reserve()];
  expect(three.status).toBe(201);
  expect(one.status).toBe(201);
  expect(three.body['codes']).toHaveLength(3);
  const [custom_code] = one.body['codes'] as [string];
  expect((await web.client().post('/api/v1/urls', { original_url, custom_code })).status).toBe(201);
  for (const count of [0, 1_001, 1.5, '2']) expect(await reserve({ count })).toBeProblem('validation-failed');
  expect(await web.client(null).post('/api/v1/codes/reservations')).toBeProblem('unauthorized');
});

async function otherClient() {
  return web.client((await createApiKeys(web.database.db()).create('other')).key);
}

test('GET reserves the requested number of distinct codes, 1 by default', async () => {
  const lots = await Promise.all([1, 1_000, 1_000, 7].map(reserveCodes));
  expect(lots.map((codes) => codes.length)).toEqual([1, 1_000, 1_000, 7]);
  expect(new Set(lots.flat()).size).toBe(2_008);
  expect((await web.client().get('/api/v1/codes')).body['codes']).toHaveLength(1);
});

test.each(['0', '-1', '1001', '1.5', 'many', 'NaN', '1e9'])(
  'the invalid count %s answers 422 and reserves nothing',
  async (count) => {
    const blocks = async () => (await web.database.db()('key_blocks').count('* as n'))[0]!['n'];
    const before = await blocks();
    const answer = await web.client().get(`/api/v1/codes?count=${count}`);
    expect(answer.status).toBe(422);
    expect(answer.body['errors']).toEqual([{ field: 'count', detail: expect.stringMatching(/^must be/) }]);
    expect(await blocks()).toBe(before);
  },
);

test('an unknown or repeated parameter answers 422', async () => {
  expect((await web.client().get('/api/v1/codes?number=5')).status).toBe(422);
  expect((await web.client().get('/api/v1/codes?count=5&count=6')).status).toBe(422);
});

test('only the API key that reserved a code can use it', async () => {
  const [custom_code] = await reserveCodes(1);
  const other = await otherClient();
  expect((await other.post('/api/v1/urls', { original_url, custom_code })).status).toBe(409);
  expect((await web.client().post('/api/v1/urls', { original_url, custom_code })).status).toBe(201);
  expect(await web.client(null).get(`/${custom_code}`)).toRedirectTo(original_url);
});

test('only unused codes of the same API key are released', async () => {
  const [used, unused, foreign] = await reserveCodes(3);
  await web.client().post('/api/v1/urls', { original_url, custom_code: used });
  const other = await otherClient();
  const rejectedReturn = await other.post('/api/v1/codes/return', { codes: [foreign] });
  expect(rejectedReturn.body).toEqual({ returned: [], refused: [foreign] });
  const answer = await web.client().post('/api/v1/codes/return', { codes: [used, unused, 'unknown1'] });
  expect(answer.status).toBe(200);
  expect(answer.body).toEqual({ returned: [unused], refused: [used, 'unknown1'] });
  const again = await web.client().post('/api/v1/codes/return', { codes: [unused] });
  expect(again.body).toEqual({ returned: [], refused: [unused] });
});

test.each([
  ['codes', {}],
  ['codes', { codes: 'abcd' }],
  ['codes', { codes: [] }],
  ['codes', { codes: Array(1_001).fill('abcd') }],
  ['codes.0', { codes: [7] }],
  ['codes.0', { codes: ['abcd\0'] }],
  ['codes.0', { codes: ['a'.repeat(65)] }],
  ['more', { codes: ['abcd'], more: 1 }],
])('releasing invalid codes answers 422 and names the field %s', async (field, body) => {
  const answer = await web.client().post('/api/v1/codes/return', body);
  expect(answer.status).toBe(422);
  expect((answer.body['errors'] as { field: string }[]).map((error) => error.field)).toEqual([field]);
});

test('the key generation service requires an API key', async () => {
  expect((await web.client(null).get('/api/v1/codes')).status).toBe(401);
  expect((await web.client(null).post('/api/v1/codes/return', { codes: ['abcd'] })).status).toBe(401);
});
