import { beforeEach, expect, test } from 'vitest';
import { createKeyGenerator } from '../../../src/keys/key-generator.ts';
import { createKeyPool } from '../../../src/keys/key-pool.ts';
import { createKeyStore } from '../../../src/keys/key-store.ts';
import { replenishKeys } from '../../../workers/jobs/urls/replenish-keys.ts';
import { createJobContext } from '../../support/job-context.ts';
import { useDatabase, useRedis } from '../../support/resources.ts';

const database = useDatabase();
const redis = useRedis();

const createDeps = () => ({
  pool: createKeyPool(redis.redis(), redis.prefix),
  generator: createKeyGenerator(database.db()),
  store: createKeyStore(database.db()),
});
const takeAll = async () => (await createDeps().pool.take(1_000_000)).keys;

beforeEach(async () => {
  await takeAll();
  await database.db()('returned_keys').del();
});

async function addReturnedKeys(keys: string[], availableAt: Date) {
  await database
    .db()('returned_keys')
    .insert(keys.map((key) => ({ short_code: key, available_at: availableAt })));
}

test('an empty pool is filled to its target with unique keys, with progress up to 100', async () => {
  const context = createJobContext();
  expect(await replenishKeys(createDeps(), 35_000, context)).toEqual({
    added: 35_000,
    reused: 0,
    poolSize: 35_000,
    interrupted: false,
  });
  expect(context.reported).toEqual([28, 57, 85, 100]);
  expect(new Set(await takeAll()).size).toBe(35_000);
});

test('a pool at or above its target is not filled', async () => {
  await replenishKeys(createDeps(), 500, createJobContext());
  const blocks = await database.db()('key_blocks');
  expect(await replenishKeys(createDeps(), 500, createJobContext())).toEqual({
    added: 0,
    reused: 0,
    poolSize: 500,
    interrupted: false,
  });
  expect(await replenishKeys(createDeps(), 200, createJobContext())).toMatchObject({
    added: 0,
    poolSize: 500,
    interrupted: false,
  });
  expect(await database.db()('key_blocks')).toEqual(blocks);
});

test('returned keys are reused first, but not before their reuse time', async () => {
  await addReturnedKeys(['back-1', 'back-2', 'back-3'], new Date(Date.now() - 1_000));
  await addReturnedKeys(['resting'], new Date(Date.now() + 60_000));
  expect(await replenishKeys(createDeps(), 100, createJobContext())).toEqual({
    added: 100,
    reused: 3,
    poolSize: 100,
    interrupted: false,
  });
  const keys = await takeAll();
  expect(keys.slice(0, 3).sort()).toEqual(['back-1', 'back-2', 'back-3']);
  expect(keys).not.toContain('resting');
  expect(await database.db()('returned_keys').pluck('short_code')).toEqual(['resting']);
});

test('returned keys beyond the target are not taken', async () => {
  const keys = Array.from({ length: 50 }, (_, i) => `back-${i}`);
  await addReturnedKeys(keys, new Date(Date.now() - 1_000));
  expect(await replenishKeys(createDeps(), 20, createJobContext())).toMatchObject({ added: 20, reused: 20 });
  const left: string[] = await database.db()('returned_keys').pluck('short_code');
  expect([...(await takeAll()), ...left].sort()).toEqual(keys.toSorted());
});

test('four concurrent runs overfill the pool by at most a block each, without duplicates', async () => {
  await addReturnedKeys(
    Array.from({ length: 1_000 }, (_, i) => `back-${i}`),
    new Date(Date.now() - 1_000),
  );
  const target = 60_000;
  const runs = Array.from(
    { length: 4 },
    async () => await replenishKeys(createDeps(), target, createJobContext()),
  );
  const summaries = await Promise.all(runs);

  const keys = await takeAll();
  expect(keys.length).toBeGreaterThanOrEqual(target);
  expect(keys.length).toBeLessThanOrEqual(target + 3 * 10_000);
  expect(new Set(keys).size).toBe(keys.length);
  expect(summaries.reduce((sum, { added }) => sum + added, 0)).toBe(keys.length);
  expect(summaries.reduce((sum, { reused }) => sum + reused, 0)).toBe(1_000);
});

test('an interrupted run ends after its block, and the next one does the rest', async () => {
  const context = createJobContext();
  const stopAtFirst = { ...context, reportProgress: async () => context.stop() };
  expect(await replenishKeys(createDeps(), 25_000, stopAtFirst)).toEqual({
    added: 10_000,
    reused: 0,
    poolSize: 10_000,
    interrupted: true,
  });
  expect(await replenishKeys(createDeps(), 25_000, createJobContext())).toMatchObject({
    added: 15_000,
    interrupted: false,
  });
});
