import { beforeEach, expect, test } from 'vitest';
import { createKeyGenerator, KeySpaceExhausted } from '../../src/keys/key-generator.ts';
import { onlyRow, openPostgres } from '../../src/storage/postgres/postgres.ts';
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
  return onlyRow({ rows: await db()('key_generator').select('next_number') }).next_number;
}

test('createKeys returns the requested number of valid keys and records their block', async () => {
  const keys = await createKeyGenerator(db()).createKeys(1_000, 'pool');
  expect(keys).toHaveLength(1_000);
  expect(keys.filter((key) => !/^[0-9A-Za-z]{7}$/.test(key))).toEqual([]);
  expect(await readBlocks()).toEqual([{ first_number: 0, size: 1_000, purpose: 'pool' }]);
});

test('concurrent callers in two processes never create the same key, and leave no gap', async () => {
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
    const batches = await Promise.all(sizes.map((size, i) => generators[i % 3]!.createKeys(size, 'lease')));
    const sum = sizes.reduce((a, b) => a + b, 0);
    expect(batches.map((keys) => keys.length)).toEqual(sizes);
    expect(new Set(batches.flat()).size).toBe(sum);
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

test('a new generator continues after the last number of the previous one', async () => {
  const before = await createKeyGenerator(db()).createKeys(500, 'pool');
  const after = await createKeyGenerator(db()).createKeys(500, 'pool');
  expect(new Set([...before, ...after]).size).toBe(1_000);
});

test('a reservation whose connection is killed leaves neither a number nor a block', async () => {
  const generator = createKeyGenerator(db());
  await generator.createKeys(10, 'pool');
  const holder = await db().transaction();
  await holder.raw('select from key_generator for update');
  const attempt = generator.createKeys(20, 'pool').then(
    () => 'created',
    () => 'failed',
  );
  await endLocked(db(), 'terminate');
  expect(await attempt).toBe('failed');
  await holder.rollback();
  expect(await readNext()).toBe(10);
  expect(await readBlocks()).toHaveLength(1);
  expect(await generator.createKeys(5, 'pool')).toHaveLength(5);
});

test('a request beyond the last key fails, and does not consume any keys', async () => {
  await db()('key_generator').update({ next_number: total - 5 });
  const generator = createKeyGenerator(db());
  await expect(generator.createKeys(6, 'pool')).rejects.toThrow(KeySpaceExhausted);
  expect(new Set(await generator.createKeys(5, 'pool')).size).toBe(5);
  await expect(generator.createKeys(1, 'pool')).rejects.toThrow(KeySpaceExhausted);
  expect(await readNext()).toBe(total);
  expect(await readBlocks()).toHaveLength(1);
});

test('a generator recovers after its first read of the database failed', async () => {
  const database = openPostgres({ url: url(), poolMax: 1, queryTimeoutMs: 10_000, name: 'test' });
  const generator = createKeyGenerator(database);
  await database.raw(`alter table key_generator rename to key_generator_away`);
  try {
    await expect(generator.createKeys(1, 'pool')).rejects.toThrow(/key_generator/);
  } finally {
    await database.raw(`alter table key_generator_away rename to key_generator`);
  }
  expect(await generator.createKeys(1, 'pool')).toHaveLength(1);
  await database.destroy();
});
