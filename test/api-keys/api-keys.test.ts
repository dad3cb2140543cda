import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { ApiKeyNotFound } from '../../src/api-keys/api-key.ts';
import { createApiKeys } from '../../src/api-keys/api-keys.ts';
import { useDatabase } from '../support/resources.ts';

const { db } = useDatabase();

test('a new key is found under its name and id', async () => {
  const apiKeys = createApiKeys(db());
  const { id, key } = await apiKeys.create('shop');
  expect(key).toMatch(/^lm_[0-9a-f]{12}_[\w-]{43}$/);
  expect(await apiKeys.find(key)).toEqual({ id, name: 'shop', scopes: ['admin'], ownUrlsOnly: false });
});

test('only a hash is at rest: no column of the row holds the key or its secret part', async () => {
  const { id, key } = await createApiKeys(db()).create('secretive');
  const row = await db()('api_keys').where({ id }).first();
  expect(row.key_hash).toEqual(createHash('sha256').update(key).digest());
  const secret = key.slice(16);
  for (const value of Object.values<unknown>(row)) {
    const text = Buffer.isBuffer(value) ? value.toString('latin1') : JSON.stringify(value);
    expect(text).not.toContain(secret);
  }
  expect(JSON.stringify(await createApiKeys(db()).list())).not.toContain(secret);
});

test('two keys of one name are different keys', async () => {
  const apiKeys = createApiKeys(db());
  const [one, two] = [await apiKeys.create('twin'), await apiKeys.create('twin')];
  expect(one.key).not.toBe(two.key);
  expect(one.id).not.toBe(two.id);
});

test('a revoked key is unknown from then on, and is revoked once', async () => {
  const apiKeys = createApiKeys(db());
  const { id, key } = await apiKeys.create('leaver');
  const { key: other } = await apiKeys.create('stayer');
  await apiKeys.revoke(id);
  expect(await apiKeys.find(key)).toBeUndefined();
  await expect(apiKeys.revoke(id)).rejects.toThrow(ApiKeyNotFound);
  await expect(apiKeys.revoke(1_000_000)).rejects.toThrow(ApiKeyNotFound);
  expect(await apiKeys.find(other)).toMatchObject({ name: 'stayer' });
  expect((await apiKeys.get(id)).revokedAt).toBeInstanceOf(Date);
});

test('a key that is wrong in any one place, or has another shape, is unknown', async () => {
  const apiKeys = createApiKeys(db());
  const { key } = await apiKeys.create('original');
  const changed = Array.from({ length: key.length }, (_, i) => {
    const other = key[i] === 'a' ? 'b' : 'a';
    return key.slice(0, i) + other + key.slice(i + 1);
  });
  const malformed = [
    '',
    'lm_',
    key.slice(0, -1),
    `${key}a`,
    ` ${key}`,
    `${key}\n`,
    key.toUpperCase(),
    `${key}\0`,
  ];
  for (const wrong of [...changed, ...malformed])
    expect([wrong, await apiKeys.find(wrong)]).toEqual([wrong, undefined]);
});
