import { expect, test } from 'vitest';
import { createKeyPool } from '../../src/keys/key-pool.ts';
import { uniquePrefix, useRedis } from '../support/resources.ts';

const { redis, prefix } = useRedis();
const openPool = () => createKeyPool(redis(), `${prefix}-${uniquePrefix()}`);
const makeKeys = (count: number) =>
  Array.from({ length: count }, (_, i) => `key${String(i).padStart(4, '0')}`);

test('what was added is taken once, and `left` says how much remains', async () => {
  const pool = openPool();
  expect(await pool.add(makeKeys(5))).toBe(5);
  expect(await pool.size()).toBe(5);
  const first = await pool.take(3);
  expect(first.left).toBe(2);
  const second = await pool.take(3);
  expect(second.left).toBe(0);
  expect([...first.keys, ...second.keys].toSorted()).toEqual(makeKeys(5));
});

test('an empty pool gives no keys', async () => {
  expect(await openPool().take(10)).toEqual({ keys: [], left: 0 });
});

test('many who take at once share the pool without overlap', async () => {
  const pool = openPool();
  await pool.add(makeKeys(1_000));
  const lots = await Promise.all(Array.from({ length: 60 }, () => pool.take(20)));
  expect(lots.flatMap((lot) => lot.keys).toSorted()).toEqual(makeKeys(1_000));
  expect(await pool.size()).toBe(0);
});

test('a pool whose place in Redis holds something else fails instead of giving no keys', async () => {
  const own = `${prefix}-${uniquePrefix()}`;
  await redis().set(`${own}:keys:pool`, 'something else');
  await expect(createKeyPool(redis(), own).take(1)).rejects.toThrow(/WRONGTYPE/);
});
