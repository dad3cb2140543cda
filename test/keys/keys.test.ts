import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import { createKeyGenerator } from '../../src/keys/key-generator.ts';
import { createKeyPool } from '../../src/keys/key-pool.ts';
import { createKeyStore } from '../../src/keys/key-store.ts';
import { createKeys } from '../../src/keys/keys.ts';
import { closeRedis } from '../../src/storage/redis/redis.ts';
import { createUrlCleanupStore } from '../../src/urls/store/cleanup-store.ts';
import { createUrlStore } from '../../src/urls/store/url-store.ts';
import { silentLog, uniquePrefix, useDatabase, useRedis } from '../support/resources.ts';
import { openSingleRedis } from '../support/services/single-redis.ts';
import { useOwners } from '../support/urls/owners.ts';

const { db } = useDatabase();
const shared = useRedis();
const { owner, otherOwner } = useOwners(db);

beforeEach(async () => {
  await db()('returned_keys').delete();
});

/** Processes that share one pool, and the number of onLow calls. */
function openProcesses(count: number, { redis = shared.redis(), lowWater = 1 } = {}) {
  const pool = createKeyPool(redis, `${shared.prefix}-${uniquePrefix()}`);
  const generator = createKeyGenerator(db());
  const low = { count: 0 };
  const store = createKeyStore(db());
  const onLow = () => void (low.count += 1);
  const processes = Array.from({ length: count }, () =>
    createKeys({ generator, pool, store, lowWater, onLow, log: silentLog }),
  );
  return { pool, generator, store, low, processes, keys: processes[0]! };
}

const takeMany = async (keys: { take: () => Promise<string> }, count: number) =>
  await Promise.all(Array.from({ length: count }, () => keys.take()));

async function createUrl(shortCode: string) {
  const url = {
    shortCode,
    originalUrl: 'https://example.com/',
    codeIsGenerated: true,
    expiresAt: null,
    createdBy: owner(),
  };
  expect(await createUrlStore(db()).insertMany([url])).toEqual([expect.anything()]);
}

async function countBlocks(purpose: string): Promise<number> {
  return (await db()('key_blocks').where({ purpose })).length;
}

test('keys are leased by the hundred, so that most takes need no Redis round trip', async () => {
  const { keys, pool, generator } = openProcesses(1);
  const generated = await generator.createKeys(150, 'pool');
  await pool.add(generated);
  const taken = await takeMany(keys, 100);
  expect(await pool.size()).toBe(50);
  expect(new Set(taken).size).toBe(100);
  expect(taken.filter((key) => !generated.includes(key))).toEqual([]);
});

test('keys come from the generator when the pool is empty', async () => {
  const { keys } = openProcesses(1);
  const before = await countBlocks('lease');
  expect(new Set(await takeMany(keys, 250)).size).toBe(250);
  expect(await countBlocks('lease')).toBe(before + 3);
});

test('keys come from the generator when Redis is unreachable', async () => {
  const redis = openSingleRedis('cache', 'redis://127.0.0.1:1', silentLog);
  try {
    const { keys } = openProcesses(1, { redis });
    expect(new Set(await takeMany(keys, 120)).size).toBe(120);
  } finally {
    await closeRedis(redis);
  }
});

test('onLow is called once a lease leaves fewer keys than the low watermark', async () => {
  const { keys, pool, generator, low } = openProcesses(1, { lowWater: 200 });
  await pool.add(await generator.createKeys(400, 'pool'));
  await takeMany(keys, 200);
  expect(await pool.size()).toBe(200);
  expect(low.count).toBe(0);
  await keys.take();
  expect(await pool.size()).toBe(100);
  expect(low.count).toBe(1);
});

test('processes that share a pool never take the same key, whatever happens to the pool', async () => {
  const everTaken = new Set<string>();
  let taken = 0;
  const step = fc.record({
    kind: fc.constantFrom('take', 'take', 'take', 'fill', 'return the lease', 'lose the pool'),
    process: fc.nat(2),
    count: fc.integer({ min: 1, max: 150 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(step, { maxLength: 5 }), { maxLength: 5 }), async (rounds) => {
      const { processes, pool, generator } = openProcesses(3);
      const run = async ({ kind, process, count }: { kind: string; process: number; count: number }) => {
        const keys = processes[process]!;
        if (kind === 'fill') await pool.add(await generator.createKeys(count, 'pool'));
        if (kind === 'return the lease') await keys.returnLease();
        if (kind === 'lose the pool') await pool.take(1_000_000);
        if (kind !== 'take') return [];
        return await takeMany(keys, count);
      };
      for (const round of rounds) {
        // The steps of a round run concurrently.
        for (const key of (await Promise.all(round.map(run))).flat()) {
          everTaken.add(key);
          taken += 1;
        }
      }
      expect(everTaken.size).toBe(taken);
    }),
    { numRuns: 40 },
  );
  expect(taken).toBeGreaterThan(1_000);
});

test('returnLease returns only the unused keys to the pool', async () => {
  const { keys, pool, generator } = openProcesses(1);
  const generated = await generator.createKeys(100, 'pool');
  await pool.add(generated);
  const taken = await takeMany(keys, 30);
  await keys.returnLease();
  const { keys: left } = await pool.take(1_000);
  expect([...left, ...taken].toSorted()).toEqual(generated.toSorted());
  await keys.returnLease();
  expect(await pool.size()).toBe(0);
});

test('reserved keys are recorded with their API key and never taken from the pool', async () => {
  const { keys } = openProcesses(1);
  const reserved = await keys.reserve(250, owner());
  expect(new Set(reserved).size).toBe(250);
  const rows = await db()('reserved_keys').whereIn('short_code', reserved);
  expect(new Set(rows.map((row) => row.api_key_id))).toEqual(new Set([owner()]));
  expect(rows).toHaveLength(250);
  const taken = new Set(await takeMany(keys, 250));
  expect(reserved.filter((key) => taken.has(key))).toEqual([]);
});

test('a key that is already a custom code is not reserved', async () => {
  const { store } = openProcesses(1);
  await createUrl('custom1');
  expect(await store.reserve(['custom1', 'custom2'], owner())).toEqual(['custom2']);
});

test('release returns only unused keys of the API key, and each only once', async () => {
  const { keys } = openProcesses(1);
  const [own, used] = (await keys.reserve(2, owner())) as [string, string];
  const [othersKey] = (await keys.reserve(1, otherOwner())) as [string];
  await createUrl(used);
  const codes = [own, used, othersKey, own, 'unknown1'];
  const results = await Promise.all(Array.from({ length: 5 }, () => keys.release(codes, owner())));
  expect(results.flat()).toEqual([own]);
  expect(await db()('reserved_keys').where({ short_code: othersKey })).toHaveLength(1);
});

test('a released key can be taken again at once, by one caller', async () => {
  const { keys, store } = openProcesses(1);
  const reserved = await keys.reserve(50, owner());
  await keys.release(reserved, owner());
  const batches = await Promise.all(Array.from({ length: 10 }, () => store.takeReturned(20)));
  expect(batches.flat().toSorted()).toEqual(reserved.toSorted());
  expect(await store.takeReturned(20)).toEqual([]);
});

test('a generated code of a purged short URL is reused after its cooldown, a custom code never', async () => {
  const { store, generator } = openProcesses(1);
  const urls = createUrlStore(db());
  const [generated] = (await generator.createKeys(1, 'lease')) as [string];
  await createUrl(generated);
  const custom = {
    shortCode: 'my-custom',
    originalUrl: 'https://example.com/',
    expiresAt: null,
    createdBy: owner(),
  };
  await urls.insertMany([{ ...custom, codeIsGenerated: false }]);
  await Promise.all([urls.delete(generated, null), urls.delete('my-custom', null)]);
  const later = new Date(Date.now() + 1_000);
  expect(await createUrlCleanupStore(db()).purge(later, 0, 90, 1_000)).toBe(2);

  expect(await store.takeReturned(10)).toEqual([]);
  const [row] = await db()('returned_keys').where({ short_code: generated });
  expect(row.available_at.getTime() - Date.now()).toBeGreaterThan(89 * 86_400_000);
  await db()('returned_keys').update({ available_at: new Date(Date.now() - 1_000) });
  expect(await store.takeReturned(10)).toEqual([generated]);
});
