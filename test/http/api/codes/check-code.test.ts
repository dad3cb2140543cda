import { beforeAll, describe, expect, test } from 'vitest';
import { createApiKeys } from '../../../../src/api-keys/api-keys.ts';
import { useWeb } from '../../../support/http/web-app.ts';
import { createUrl } from '../../../support/urls/urls.ts';

const web = useWeb({ RATE_LIMIT_PER_KEY: '5000', RETENTION_DAYS: '7' });
const unicode = useWeb({
  CUSTOM_CODE_CHARACTERS: 'unicode',
  CUSTOM_CODE_MIN_LENGTH: '3',
  CUSTOM_CODE_MAX_LENGTH: '10',
});

type Api = ReturnType<typeof web.client>;

interface Check {
  code: string;
  state: string;
  reason: string | null;
  deleted_at: string | null;
  purged_at: string | null;
  suggestions: string[];
}

async function check(code: string, client: Api = web.client()): Promise<Check> {
  const answer = await client.get(`/api/v1/codes/${encodeURIComponent(code)}`);
  expect(answer.status, code).toBe(200);
  return answer.body as unknown as Check;
}

const create = async (custom_code: string, client: Api = web.client()) =>
  await client.post('/api/v1/urls', { original_url: 'https://example.com/', custom_code });

async function newClient(name: string, ownUrlsOnly = false): Promise<Api> {
  const { key } = await createApiKeys(web.database.db()).create(name, {
    scopes: ['urls:write', 'keys:reserve'],
    ownUrlsOnly,
  });
  return web.client(key);
}

beforeAll(async () => {
  await createUrl(web.client(), { custom_code: 'spring' });
});

test('a free code is free, and nothing is suggested or reserved', async () => {
  const free = { code: 'summer', state: 'free', reason: null, deleted_at: null, purged_at: null };
  expect(await check('summer')).toEqual({ ...free, suggestions: [] });
  expect((await create('summer', await newClient('other'))).status).toBe(201);
  expect(await check('summer')).toMatchObject({ state: 'taken' });
});

test('a taken code has three suggestions that resemble it, and a create with each succeeds', async () => {
  const { state, suggestions } = await check('spring');
  expect(state).toBe('taken');
  expect(suggestions).toEqual(['spring-2', 'spring-3', 'spring-4']);
  for (const code of suggestions) expect((await create(code)).status).toBe(201);
  const more = (await check('spring')).suggestions;
  expect(more).toHaveLength(3);
  for (const code of more) expect(code).toMatch(/^spring-\d{2,4}$/);
  expect((await check('spring-2')).suggestions[0]).toMatch(/^spring-\d+$/);
});

test('an old code is taken, and so is one that is reserved for another API key', async () => {
  await createUrl(web.client(), { custom_code: 'old-name' });
  await web.client().patch('/api/v1/urls/old-name', { short_code: 'new-name' });
  expect(await check('old-name')).toMatchObject({ state: 'taken' });

  const other = await newClient('reserving');
  const { body } = await other.post('/api/v1/codes/reservations', { count: 1 });
  const [reserved] = body['codes'] as [string];
  expect(await check(reserved)).toMatchObject({ state: 'taken' });
  expect(await check(reserved, other)).toMatchObject({ state: 'free' });
});

test('the code of a deleted short URL is deleted for keys that may restore it, else taken', async () => {
  const owner = await newClient('owner', true);
  const stranger = await newClient('stranger', true);
  await createUrl(owner, { custom_code: 'autumn' });
  await owner.delete('/api/v1/urls/autumn');
  const found = await check('autumn', owner);
  const conflict = await create('autumn', owner);
  expect(conflict).toBeProblem('code-deleted');
  expect(found).toMatchObject({
    state: 'deleted',
    deleted_at: conflict.body['deleted_at'],
    purged_at: conflict.body['purged_at'],
    suggestions: ['autumn-2', 'autumn-3', 'autumn-4'],
  });
  expect(Date.parse(found.purged_at!) - Date.parse(found.deleted_at!)).toBe(7 * 24 * 3_600_000);
  expect(await check('autumn', stranger)).toMatchObject({
    state: 'taken',
    deleted_at: null,
    purged_at: null,
  });

  // Purged, it stays reserved for the key that created it.
  await owner.delete('/api/v1/urls/autumn?purge=true');
  expect(await check('autumn', owner)).toMatchObject({ state: 'free' });
  expect(await check('autumn', stranger)).toMatchObject({ state: 'taken' });
});

test.each([
  ['admin', 'reserved', 'is a reserved word', /^admin-\d+$/],
  ['ADMIN', 'reserved', 'is a reserved word', /^ADMIN-\d+$/],
  ['abc', 'invalid', 'must be 4 to 32 letters, digits, "-" or "_"', /^abc-\d+$/],
  ['my new code!', 'invalid', 'must be 4 to 32 letters, digits, "-" or "_"', /^my-new-code-\d+$/],
  ['Café au lait', 'invalid', 'must be 4 to 32 letters, digits, "-" or "_"', /^Cafe-au-lait-\d+$/],
  ['a/b', 'invalid', 'must be 4 to 32 letters, digits, "-" or "_"', /^a-b-\d+$/],
  ['весна', 'invalid', 'must be 4 to 32 letters, digits, "-" or "_"', /^\d{4,}$/],
  ['%', 'invalid', 'must be 4 to 32 letters, digits, "-" or "_"', /^\d{4,}$/],
  ['x'.repeat(4_000), 'invalid', 'must be 4 to 32 letters, digits, "-" or "_"', /^x+-\d+$/],
])('%s is %s, with the reason and usable suggestions', async (code, state, reason, pattern) => {
  const found = await check(code);
  expect(found).toMatchObject({ state, reason });
  expect(found.suggestions).toHaveLength(3);
  for (const suggestion of found.suggestions) {
    expect(suggestion).toMatch(pattern);
    expect((await check(suggestion)).state).toBe('free');
  }
});

test('the operator’s rules and the normalisation are those of a create', async () => {
  const client = unicode.client();
  const inForms = ['Café', 'Cafe\u0301'];
  expect((await create(inForms[0]!, client)).status).toBe(201);
  for (const form of inForms)
    expect(await check(form, client)).toMatchObject({ state: 'taken', code: 'Café' });
  const mixed = await check('pаypal', client);
  expect(mixed).toMatchObject({
    state: 'invalid',
    reason: 'must not mix Latin, Greek and Cyrillic letters',
  });
  expect(mixed.suggestions).toHaveLength(3);
  const long = await check('весна-распродажа-весна', client);
  for (const code of long.suggestions) {
    expect(code).toMatch(/^весна[а-я-]*-\d+$/);
    expect((await create(code, client)).status).toBe(201);
  }
});

describe('a check', () => {
  test('reveals no more than a create: the same answer for each key and code', async () => {
    const keys = [web.client(), await newClient('restricted', true), await newClient('unrestricted')];
    for (const client of keys) {
      for (const code of ['spring', 'old-name', 'admin', 'ab', 'winter']) {
        const { state } = await check(code, client);
        const answer = await create(code, client);
        const expected: Record<string, number> = {
          free: 201,
          taken: 409,
          deleted: 409,
          reserved: 422,
          invalid: 422,
        };
        expect([code, answer.status]).toEqual([code, expected[state]]);
        if (answer.status === 201) await client.delete(`/api/v1/urls/${code}?purge=true`);
      }
    }
  });

  test('requires the scope of a create', async () => {
    const { key } = await createApiKeys(web.database.db()).create('reader', { scopes: ['urls:read'] });
    expect(await web.client(key).get('/api/v1/codes/spring')).toBeProblem('insufficient-scope');
  });

  test('counts as ten requests, so codes cannot be enumerated cheaply', async () => {
    const client = await newClient('counting');
    const remaining = async () =>
      Number((await client.get('/api/v1/codes/spring')).headers.get('ratelimit-remaining'));
    const [first, second] = [await remaining(), await remaining()];
    expect(first - second).toBe(10);
  });
});
