import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { ApiKeyNotFound, PermissionsContradict } from '../../src/api-keys/api-key.ts';
import { createApiKeys } from '../../src/api-keys/api-keys.ts';
import { onlyRow } from '../../src/storage/postgres/postgres.ts';
import { useDatabase } from '../support/resources.ts';

const { db } = useDatabase();

test('a new key is found with its name and ID', async () => {
  const apiKeys = createApiKeys(db());
  const { id, key } = await apiKeys.create('shop');
  expect(key).toMatch(/^lm_[0-9a-f]{12}_[\w-]{43}$/);
  expect(await apiKeys.find(key)).toEqual({ id, name: 'shop', scopes: ['admin'], ownUrlsOnly: false });
});

test('the database contains only a hash of the key', async () => {
  const { id, key } = await createApiKeys(db()).create('secretive');
  const row = onlyRow({ rows: await db()('api_keys').where({ id }) });
  expect(row.key_hash).toEqual(createHash('sha256').update(key).digest());
  const secret = key.slice(16);
  for (const value of Object.values<unknown>(row)) {
    const text = Buffer.isBuffer(value) ? value.toString('latin1') : JSON.stringify(value);
    expect(text).not.toContain(secret);
  }
  expect(JSON.stringify(await createApiKeys(db()).list())).not.toContain(secret);
});

test('two keys can have the same name', async () => {
  const apiKeys = createApiKeys(db());
  const [one, two] = [await apiKeys.create('twin'), await apiKeys.create('twin')];
  expect(one.key).not.toBe(two.key);
  expect(one.id).not.toBe(two.id);
});

test('a revoked key is not found, and cannot be revoked again', async () => {
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

test('a key with one wrong character or a wrong format is not found', async () => {
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
  for (const wrong of [...changed, ...malformed]) expect(await apiKeys.find(wrong), wrong).toBeUndefined();
});

test('an expired key is not found until its expiry is extended', async () => {
  const apiKeys = createApiKeys(db());
  const { id, key } = await apiKeys.create('for a day', { expiresAt: new Date(Date.now() + 86_400_000) });
  expect(await apiKeys.find(key)).toMatchObject({ id });
  await apiKeys.update(id, { expiresAt: new Date(Date.now() - 1) });
  expect(await apiKeys.find(key)).toBeUndefined();
  await apiKeys.update(id, { expiresAt: null });
  expect(await apiKeys.find(key)).toMatchObject({ id });
});

test('after a rotation both secrets are valid until the grace period ends', async () => {
  const apiKeys = createApiKeys(db());
  const { id, key: first } = await apiKeys.create('rotated');
  const { key: second } = await apiKeys.rotate(id, 3_600);
  expect(await apiKeys.find(first)).toMatchObject({ id });
  expect(await apiKeys.find(second)).toMatchObject({ id });
  await db()('api_keys')
    .where({ id })
    .update({ previous_until: new Date(Date.now() - 1) });
  expect(await apiKeys.find(first)).toBeUndefined();
  expect(await apiKeys.find(second)).toMatchObject({ id });
  expect((await apiKeys.get(id)).previousUntil).toBeNull();
});

test('concurrent rotations both return a valid secret and invalidate the original one', async () => {
  const apiKeys = createApiKeys(db());
  const { id, key } = await apiKeys.create('contested');
  const made = await Promise.all([apiKeys.rotate(id, 60), apiKeys.rotate(id, 60)]);
  for (const one of made) expect(await apiKeys.find(one.key)).toMatchObject({ id });
  expect(await apiKeys.find(key)).toBeUndefined();
});

test('a revoked or expired key is not found by its previous secret either', async () => {
  const apiKeys = createApiKeys(db());
  const { id, key } = await apiKeys.create('ended');
  await apiKeys.rotate(id, 3_600);
  await apiKeys.update(id, { expiresAt: new Date(Date.now() - 1) });
  expect(await apiKeys.find(key)).toBeUndefined();
  await apiKeys.update(id, { expiresAt: null });
  await apiKeys.revoke(id);
  expect(await apiKeys.find(key)).toBeUndefined();
});

test.each(['admin', 'jobs:run'] as const)(
  'a key restricted to its own short URLs cannot have %s',
  async (scope) => {
    const apiKeys = createApiKeys(db());
    const both = { scopes: [scope], ownUrlsOnly: true };
    await expect(apiKeys.create('both', both)).rejects.toThrow(PermissionsContradict);
    const { id } = await apiKeys.create('one', { scopes: [scope] });
    await expect(apiKeys.update(id, { ownUrlsOnly: true })).rejects.toThrow(PermissionsContradict);
    expect(await apiKeys.get(id)).toMatchObject({ scopes: [scope], ownUrlsOnly: false });
  },
);
