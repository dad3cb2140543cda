import { expect, test } from 'vitest';
import { createApiKeys } from '../../src/api-keys/api-keys.ts';
import { createUsage } from '../../src/api-keys/usage.ts';
import { silentLog, useDatabase } from '../support/resources.ts';
import { waitUntil } from '../support/wait-until.ts';

const { db } = useDatabase();
const never = 1_000_000;

/** A usage recorder; `state.written` lists the key IDs of each write. */
function openUses(everyMs: number) {
  const apiKeys = createApiKeys(db());
  const state = { written: [] as number[][], failures: 0, isUnavailable: false };
  const recordUsage = async (ids: number[]) => {
    if (state.isUnavailable) {
      state.failures += 1;
      throw new Error('PostgreSQL is unavailable');
    }
    state.written.push(ids);
    await apiKeys.recordUsage(ids);
  };
  const uses = createUsage({ store: { recordUsage }, of: 'API keys', everyMs, log: silentLog });
  return { apiKeys, uses, state };
}

test('usage of many requests is written in one statement, to the minute', async () => {
  const { apiKeys, uses, state } = openUses(never);
  const [one, two, other] = [await apiKeys.create('1'), await apiKeys.create('2'), await apiKeys.create('3')];
  for (let i = 0; i < 1_000; i++) uses.add(i % 2 ? one.id : two.id);
  const before = Date.now();
  await uses.close();

  expect(state.written).toEqual([[two.id, one.id]]);
  for (const { id } of [one, two]) {
    const lastUsedAt = (await apiKeys.get(id)).lastUsedAt!;
    expect(lastUsedAt.getTime() % 60_000).toBe(0);
    expect(Math.abs(lastUsedAt.getTime() - before)).toBeLessThan(61_000);
  }
  expect((await apiKeys.get(other.id)).lastUsedAt).toBeNull();
});

test('usage is written periodically, and retried after a failure', async () => {
  const { apiKeys, uses, state } = openUses(20);
  const { id } = await apiKeys.create('patient');
  state.isUnavailable = true;
  uses.add(id);
  await waitUntil('two writes have failed', () => state.failures >= 2);
  state.isUnavailable = false;
  await waitUntil('the usage is written', async () => (await apiKeys.get(id)).lastUsedAt !== null);
  await uses.close();
  expect(state.written).toEqual([[id]]);
});

test('a key is written at most once per minute', async () => {
  const apiKeys = createApiKeys(db());
  const { id } = await apiKeys.create('busy');
  await apiKeys.recordUsage([id]);
  const version = async () => (await db().raw('select xmin from api_keys where id = ?', [id])).rows[0].xmin;
  const [before, minute] = [await version(), (await apiKeys.get(id)).lastUsedAt];
  await apiKeys.recordUsage([id]);
  const hasMinutePassed = Date.now() - minute!.getTime() > 60_000;
  expect((await version()) === before || hasMinutePassed).toBe(true);
});
