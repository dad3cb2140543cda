import { beforeEach, expect, test } from 'vitest';
import { createKeyGenerator, KeySpaceExhausted } from '../../src/keys/key-generator.ts';
import { openPostgres } from '../../src/storage/postgres/postgres.ts';
import { endLocked } from '../support/locks.ts';
import { useDatabase } from '../support/resources.ts';

const { db, url } = useDatabase();
const total = 62 ** 7;

beforeEach(async () => {
  await db().raw('update key_generator set next_number = 0; truncate key_blocks');
});

async function readBlocks(): Promise<{ first_number: number; size: number; purpose: string }[]> {
  return await db()('key_blocks').select('first_number', 'size', 'purpose').orderBy('first_number');
}

async function readNext(): Promise<number> {
  return (await db()('key_generator').first('next_number')).next_number;
}

test('keys are well-formed, as many as asked for, and their block is on record', async () => {
  const keys = await createKeyGenerator(db()).createKeys(1_000, 'pool');
  expect(keys).toHaveLength(1_000);
  expect(keys.filter((key) => !/^[0-9A-Za-z]{7}$/.test(key))).toEqual([]);
  expect(await readBlocks()).toEqual([{ first_number: 0, size: 1_000, purpose: 'pool' }]);
});

test('two processes with many callers each never make the same key, and their blocks leave no gap', async () => {
  const other = openPostgres({
    url: url(),
    poolMax: 5,
    queryTimeoutMs: 60_000,
    connectMs: 60_000,
    name: 'test',
  });
  try {
    const generators = [createKeyGenerator(db()), createKeyGenerator(db()), createKeyGenerator(other)];
    const sizes = Array.from({ length: 60 }, (_, i) => 1 + ((i * 37) % 200));
    const lots = await Promise.all(sizes.map((size, i) => generators[i % 3]!.createKeys(size, 'lease')));
    const sum = sizes.reduce((a, b) => a + b, 0);
    expect(lots.map((keys) => keys.length)).toEqual(sizes);
    expect(new Set(lots.flat()).size).toBe(sum);
    let next = 0;
    for (const block of await readBlocks()) {
      expect(block.first_number).toBe(next);
      next += block.size;
    }
    expect(await readNext()).toBe(next);
    expect(next).toBe(sum);
  } finally {
    await other.destroy();
  }
});

test('a process that starts again goes on where the last one ended', async () => {
  const before = await createKeyGenerator(db()).createKeys(500, 'pool');
  const after = await createKeyGenerator(db()).createKeys(500, 'pool');
  expect(new Set([...before, ...after]).size).toBe(1_000);
});

test('a reservation whose connection is killed leaves neither a number nor a block behind', async () => {
  const generator = createKeyGenerator(db());
  await generator.createKeys(10, 'pool');
  const holder = await db().transaction();
  await holder.raw('select from key_generator for update');
  const attempt = generator.createKeys(20, 'pool').then(
    () => 'made',
    () => 'failed',
  );
  await endLocked(db(), 'terminate');
  expect(await attempt).toBe('failed');
  await holder.rollback();
  expect(await readNext()).toBe(10);
  expect(await readBlocks()).toHaveLength(1);
  expect(await generator.createKeys(5, 'pool')).toHaveLength(5);
});

test('the last keys can be had, one more cannot, and a refused request costs nothing', async () => {
  await db()('key_generator').update({ next_number: total - 5 });
  const generator = createKeyGenerator(db());
  await expect(generator.createKeys(6, 'pool')).rejects.toThrow(KeySpaceExhausted);
  expect(new Set(await generator.createKeys(5, 'pool')).size).toBe(5);
  await expect(generator.createKeys(1, 'pool')).rejects.toThrow(KeySpaceExhausted);
  expect(await readNext()).toBe(total);
  expect(await readBlocks()).toHaveLength(1);
});

test('a generator that found no PostgreSQL at first works once it is there', async () => {
  const lame = openPostgres({ url: url(), poolMax: 1, queryTimeoutMs: 10_000, name: 'test' });
  const generator = createKeyGenerator(lame);
  await lame.raw(`alter table key_generator rename to key_generator_away`);
  try {
    await expect(generator.createKeys(1, 'pool')).rejects.toThrow(/key_generator/);
  } finally {
    await lame.raw(`alter table key_generator_away rename to key_generator`);
  }
  expect(await generator.createKeys(1, 'pool')).toHaveLength(1);
  await lame.destroy();
});
