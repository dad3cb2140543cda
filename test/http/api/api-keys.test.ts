import { beforeEach, expect, test } from 'vitest';
import { createApiKeys } from '../../../src/api-keys/api-keys.ts';
import { readPages } from '../../support/http/pages.ts';
import { useWeb } from '../../support/http/web-app.ts';
import { createUrl } from '../../support/urls/urls.ts';
import { waitUntil } from '../../support/wait-until.ts';

const web = useWeb();
const path = '/api/v1/api-keys';
const day = 24 * 3_600_000;

const patch = async (id: number, body: unknown) => await web.client().request('PATCH', `${path}/${id}`, body);

interface Made {
  id: number;
  key: string;
}

async function make(body: Record<string, unknown> = {}): Promise<Made> {
  const answer = await web.client().post(path, { name: 'made', scopes: ['urls:read'], ...body });
  if (answer.status !== 201) throw new Error(`not made: ${JSON.stringify(answer.body)}`);
  return answer.body as unknown as Made;
}

const statusFor = async (key: string, method = 'GET', to = '/api/v1/urls/unknown-1') =>
  (await web.client(key).request(method, to)).status;

let ownId: number;
beforeEach(async () => {
  ownId = Number((await web.client().get(`${path}/current`)).body['id']);
});

test('a created key is valid at once, and its secret is shown once', async () => {
  const expiresAt = new Date(Date.now() + day).toISOString();
  const input = {
    name: ' shop ',
    scopes: ['stats:read', 'urls:read', 'urls:read'],
    own_urls_only: true,
    expires_at: expiresAt,
  };
  const { status, headers, body } = await web.client().post(path, input);
  const { key, ...shown } = body as unknown as Made;
  expect(status).toBe(201);
  expect(headers.get('cache-control')).toBe('no-store');
  expect(headers.get('location')).toBe(`${path}/${shown.id}`);
  expect(shown).toEqual({
    id: expect.any(Number),
    name: 'shop',
    prefix: key.slice(0, 15),
    person: null,
    scopes: ['urls:read', 'stats:read'],
    own_urls_only: true,
    created_at: expect.any(String),
    expires_at: expiresAt,
    last_used_at: null,
    rotated_at: null,
    previous_valid_until: null,
    revoked_at: null,
  });
  expect((await web.client(key).get(`${path}/current`)).body).toEqual(shown);
  expect((await web.client().get(`${path}/${shown.id}`)).body).toEqual(shown);
});

test('API keys are listed in pages, oldest first, without secrets', async () => {
  const created = [await make({ name: 'one' }), await make({ name: 'two' }), await make({ name: 'three' })];
  const { items: keys, pages } = await readPages<Made>(web.client(), `${path}?limit=2`);
  const ids = keys.map(({ id }) => id);
  expect(ids).toEqual(ids.toSorted((a, b) => a - b));
  expect(ids.slice(-3)).toEqual(created.map(({ id }) => id));
  expect(pages).toBe(Math.ceil(keys.length / 2));
  for (const { key } of created) expect(JSON.stringify(keys)).not.toContain(key.slice(16));
});

test('an update takes effect within 2 s and changes only the given fields', async () => {
  const changed = await make({ name: 'before', scopes: ['urls:read', 'urls:write'] });
  const limited = await make({ scopes: ['urls:read', 'urls:write'] });
  const rotated = await make();
  const revoked = await make();
  const code = await createUrl(web.client());
  const page = `/api/v1/urls/${code}`;
  expect(await Promise.all([changed, limited, rotated, revoked].map(({ key }) => statusFor(key)))).toEqual([
    404, 404, 404, 404,
  ]);
  const answer = await patch(changed.id, { name: 'after', scopes: ['urls:write'] });
  expect(answer.body).toMatchObject({ name: 'after', scopes: ['urls:write'], own_urls_only: false });
  expect((await patch(limited.id, { own_urls_only: true })).status).toBe(200);
  const next = (await web.client().post(`${path}/${rotated.id}/rotate`, { grace_hours: 0 })).body['key'];
  expect((await web.client().delete(`${path}/${revoked.id}`)).status).toBe(204);

  await waitUntil(
    'every change is in effect',
    async () =>
      (await statusFor(changed.key)) === 403 &&
      (await statusFor(limited.key, 'GET', page)) === 404 &&
      (await statusFor(rotated.key)) === 401 &&
      (await statusFor(revoked.key)) === 401,
    2_200,
  );
  expect(await statusFor(String(next))).toBe(404);
  expect((await web.client().get(`${path}/${limited.id}`)).body).toMatchObject({
    name: 'made',
    scopes: ['urls:read', 'urls:write'],
    own_urls_only: true,
  });
});

test('a rotated key keeps its short URLs and reserved codes', async () => {
  const { id, key } = await make({
    scopes: ['urls:read', 'urls:write', 'keys:reserve'],
    own_urls_only: true,
  });
  const code = await createUrl(web.client(key));
  const [reserved] = (await web.client(key).get('/api/v1/codes')).body['codes'] as [string];
  const { status, body } = await web.client().post(`${path}/${id}/rotate`);
  const hours = (Date.parse(String(body['previous_valid_until'])) - Date.now()) / 3_600_000;

  expect(status).toBe(200);
  expect(body['id']).toBe(id);
  expect(hours > 23.9 && hours <= 24.1).toBe(true);
  const rotated = web.client(String(body['key']));
  expect((await rotated.get(`/api/v1/urls/${code}`)).status).toBe(200);
  expect(await createUrl(rotated, { custom_code: reserved })).toBe(reserved);
  expect((await web.client(key).get(`/api/v1/urls/${reserved}`)).status).toBe(200);
});

test.each([
  [{}, 'name'],
  [{ name: '', scopes: ['admin'] }, 'name'],
  [{ name: 'a\tb', scopes: ['admin'] }, 'name'],
  [{ name: 'a\u202eb', scopes: ['admin'] }, 'name'],
  [{ name: 'a\0', scopes: ['admin'] }, 'name'],
  [{ name: 'a'.repeat(101), scopes: ['admin'] }, 'name'],
  [{ name: 'a' }, 'scopes'],
  [{ name: 'a', scopes: [] }, 'scopes'],
  [{ name: 'a', scopes: ['root'] }, 'scopes.0'],
  [{ name: 'a', scopes: ['admin'], own_urls_only: true }, 'own_urls_only'],
  [{ name: 'a', scopes: ['urls:read', 'jobs:run'], own_urls_only: true }, 'own_urls_only'],
  [{ name: 'a', scopes: ['admin'], expires_at: '2020-01-01T00:00:00Z' }, 'expires_at'],
  [{ name: 'a', scopes: ['admin'], key: 'mine' }, 'key'],
])('creating the key %j is rejected because of %s', async (input, field) => {
  const count = async () => (await createApiKeys(web.database.db()).list()).length;
  const before = await count();
  const answer = await web.client().post(path, input);
  expect(answer).toBeProblem('validation-failed');
  expect((answer.body['errors'] as { field: string }[]).map((error) => error.field)).toContain(field);
  expect(await count()).toBe(before);
});

test('an update that contradicts existing permissions is rejected', async () => {
  const { id } = await make({ own_urls_only: true });
  expect(await patch(id, { name: 'no', scopes: ['admin'] })).toBeProblem('validation-failed');
  expect((await web.client().get(`${path}/${id}`)).body).toMatchObject({
    name: 'made',
    scopes: ['urls:read'],
  });
  expect((await patch(id, { scopes: ['admin'], own_urls_only: false })).status).toBe(200);
});

test('an expiry is set, kept by other updates, and removed with null', async () => {
  const { id } = await make();
  const expiresAt = new Date(Date.now() + day).toISOString();
  expect((await patch(id, { expires_at: expiresAt })).body['expires_at']).toBe(expiresAt);
  expect((await patch(id, { name: 'other' })).body['expires_at']).toBe(expiresAt);
  expect((await patch(id, { expires_at: null })).body['expires_at']).toBeNull();
});

test('a key cannot revoke itself or remove its scope admin', async () => {
  expect(await web.client().delete(`${path}/${ownId}`)).toBeProblem('self-modification-forbidden');
  expect(await patch(ownId, { scopes: ['urls:read'] })).toBeProblem('self-modification-forbidden');
  expect((await patch(ownId, { name: 'renamed', scopes: ['admin', 'urls:read'] })).status).toBe(200);
  const rotated = await web.client().post(`${path}/${ownId}/rotate`, { grace_hours: 1 });
  expect(await statusFor(String(rotated.body['key']), 'GET', path)).toBe(200);
});

test('a key can extend its own lifetime but not shorten it', async () => {
  const { id, key } = await make({ scopes: ['admin'] });
  const own = web.client(key);
  const change = async (expiresAt: string | null) =>
    await own.request('PATCH', `${path}/${id}`, { expires_at: expiresAt });
  const inDays = (days: number) => new Date(Date.now() + days * day).toISOString();
  expect(await change(inDays(7))).toBeProblem('self-modification-forbidden');
  expect((await patch(id, { expires_at: inDays(7) })).status).toBe(200);
  expect(await change(inDays(6))).toBeProblem('self-modification-forbidden');
  expect((await change(inDays(8))).status).toBe(200);
  expect((await change(null)).body['expires_at']).toBeNull();
});

test('changing a revoked or unknown key answers 404', async () => {
  const { id } = await make();
  expect((await web.client().delete(`${path}/${id}`)).status).toBe(204);
  for (const missing of [id, 999_999_999]) {
    expect(await web.client().delete(`${path}/${missing}`)).toBeProblem('not-found');
    expect(await patch(missing, { name: 'x' })).toBeProblem('not-found');
    expect(await web.client().post(`${path}/${missing}/rotate`)).toBeProblem('not-found');
  }
  expect((await web.client().get(`${path}/${id}`)).body['revoked_at']).toEqual(expect.any(String));
  expect(await web.client().get(`${path}/999999999`)).toBeProblem('not-found');
});

test.each(['0', '-1', '1.5', 'x', '1e3', '9007199254740993', '%00'])(
  'the invalid ID %s is rejected',
  async (id) => {
    expect([404, 422]).toContain((await web.client().get(`${path}/${id}`)).status);
  },
);

test.each([
  { grace_hours: -1 },
  { grace_hours: 721 },
  { grace_hours: '5' },
  { grace_hours: null },
  { hours: 1 },
])('a rotation with %j is rejected and changes nothing', async (body) => {
  const { id, key } = await make();
  expect(await web.client().post(`${path}/${id}/rotate`, body)).toBeProblem('validation-failed');
  expect(await statusFor(key)).toBe(404);
  expect((await web.client().get(`${path}/${id}`)).body['rotated_at']).toBeNull();
});

// The last test, because it stops the web process.
test('a web process writes key usage on shutdown', async () => {
  const { id, key } = await make();
  const { id: unused } = await make();
  await statusFor(key);
  await web.stop();
  const apiKeys = createApiKeys(web.database.db());
  expect((await apiKeys.get(id)).lastUsedAt).not.toBeNull();
  expect((await apiKeys.get(unused)).lastUsedAt).toBeNull();
});
