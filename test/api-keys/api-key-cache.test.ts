import { expect, test } from 'vitest';
import { createApiKeyCache } from '../../src/api-keys/api-key-cache.ts';
import type { ApiKey } from '../../src/api-keys/api-key.ts';
import { waitUntil } from '../support/wait-until.ts';

const ours: ApiKey = { id: 1, name: 'ours', scopes: ['admin'], ownUrlsOnly: false };
const another = { ...ours, id: 2, name: 'another' };

/** Keys that are valid until they are revoked; `asked` is how often anybody had to look. */
function openKeys() {
  const valid = new Map([['key', ours]]);
  const state = { asked: 0, away: false };
  const find = async (key: string) => {
    state.asked += 1;
    if (state.away) throw new Error('PostgreSQL is away');
    return valid.get(key);
  };
  const noted: number[] = [];
  const known = createApiKeyCache({ apiKeys: { find }, usage: { add: (id) => void noted.push(id) } });
  return { known, valid, state, noted };
}

test('concurrent and repeated requests with one key cost one look-up', async () => {
  const { known, state } = openKeys();
  const found = await Promise.all(Array.from({ length: 100 }, () => known.find('key')));
  expect(new Set(found)).toEqual(new Set([ours]));
  await known.find('key');
  expect(state.asked).toBe(1);
});

test('a revoked key is rejected within 2 s, and an unknown key is not cached', async () => {
  const { known, valid, state } = openKeys();
  await known.find('key');
  valid.delete('key');
  await waitUntil(
    'the deleted API key is rejected',
    async () => (await known.find('key')) === undefined,
    2_200,
  );
  const { asked } = state;
  valid.set('new', another);
  expect(await known.find('other')).toBeUndefined();
  expect(await known.find('other')).toBeUndefined();
  expect(state.asked).toBe(asked + 2);
  expect(await known.find('new')).toEqual(another);
});

test('usage is recorded per look-up of a valid key', async () => {
  const { known, noted } = openKeys();
  for (let i = 0; i < 10; i++) await known.find('key');
  await known.find('other');
  expect(noted).toEqual([ours.id]);
});

test('a failed look-up rejects and is not cached', async () => {
  const { known, state } = openKeys();
  state.away = true;
  await expect(known.find('key')).rejects.toThrow('PostgreSQL is away');
  state.away = false;
  expect(await known.find('key')).toEqual(ours);
});
