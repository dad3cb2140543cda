import { expect, test } from 'vitest';
import { createApiKeyCache } from '../../src/api-keys/api-key-cache.ts';
import type { ApiKey } from '../../src/api-keys/api-key.ts';
import { waitUntil } from '../support/wait-until.ts';

const ours: ApiKey = { id: 1, name: 'ours', scopes: ['admin'], ownUrlsOnly: false };
const another = { ...ours, id: 2, name: 'another' };

/** A cache of API keys and its store; `state.lookUps` counts the look-ups in the store. */
function openKeys() {
  const valid = new Map([['key', ours]]);
  const state = { lookUps: 0, isUnavailable: false };
  const find = async (key: string) => {
    state.lookUps += 1;
    if (state.isUnavailable) throw new Error('PostgreSQL is unavailable');
    return valid.get(key);
  };
  const recorded: number[] = [];
  const cache = createApiKeyCache({ apiKeys: { find }, usage: { add: (id) => void recorded.push(id) } });
  return { cache, valid, state, recorded };
}

test('concurrent and repeated requests with one key cost one look-up', async () => {
  const { cache, state } = openKeys();
  const found = await Promise.all(Array.from({ length: 100 }, () => cache.find('key')));
  expect(new Set(found)).toEqual(new Set([ours]));
  await cache.find('key');
  expect(state.lookUps).toBe(1);
});

test('a revoked key is rejected within 2 s, and an unknown key is not cached', async () => {
  const { cache, valid, state } = openKeys();
  await cache.find('key');
  valid.delete('key');
  await waitUntil(
    'the deleted API key is rejected',
    async () => (await cache.find('key')) === undefined,
    2_200,
  );
  const { lookUps } = state;
  valid.set('new', another);
  expect(await cache.find('other')).toBeUndefined();
  expect(await cache.find('other')).toBeUndefined();
  expect(state.lookUps).toBe(lookUps + 2);
  expect(await cache.find('new')).toEqual(another);
});

test('usage is recorded per look-up of a valid key', async () => {
  const { cache, recorded } = openKeys();
  for (let i = 0; i < 10; i++) await cache.find('key');
  await cache.find('other');
  expect(recorded).toEqual([ours.id]);
});

test('a failed look-up rejects and is not cached', async () => {
  const { cache, state } = openKeys();
  state.isUnavailable = true;
  await expect(cache.find('key')).rejects.toThrow('PostgreSQL is unavailable');
  state.isUnavailable = false;
  expect(await cache.find('key')).toEqual(ours);
});
