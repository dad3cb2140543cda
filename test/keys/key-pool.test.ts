import { expect, test } from 'vitest';
import { createKeyPool } from '../../src/keys/key-pool.ts';
import { uniquePrefix, useRedis } from '../support/resources.ts';

const { redis, prefix } = useRedis();
const openPool = () => createKeyPool(redis(), `${prefix}-${uniquePrefix()}`);
const makeKeys = (count: number) =>
  Array.from({ length: count }, (_, i) => `key${String(i).padStart(4, '0')}`);

test('each key is taken once, and `left` is the number of remaining keys', async () => {
  const pool = openPool();
  expect(await pool.add(makeKeys(5))).toBe(5);
  expect(await pool.size()).toBe(5);
  const first = await pool.take(3);
  expect(first.left).toBe(2);
  const second = await pool.take(3);
  expect(second.left).toBe(0);
  expect([...first.keys, ...second.keys].toSorted()).toEqual(makeKeys(5));
});

test('an empty pool returns no keys', async () => {
  expect(await openPool().take(10)).toEqual({ keys: [], left: 0 });
});

test('concurrent callers take disjoint keys', async () => {
  const pool = openPool();
  await pool.add(makeKeys(1_000));
  const batches = await Promise.all(Array.from({ length: 60 }, () => pool.take(20)));
  expect(batches.flatMap((batch) => batch.keys).toSorted()).toEqual(makeKeys(1_000));
  expect(await pool.size()).toBe(0);
});

test('take fails if the Redis key has another type', async () => {
  const ownPrefix = `${prefix}-${uniquePrefix()}`;
  await redis().set(`${ownPrefix}:keys:pool`, 'something else');
  await expect(createKeyPool(redis(), ownPrefix).take(1)).rejects.toThrow(/WRONGTYPE/);
});
