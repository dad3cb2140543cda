import { beforeAll, describe, expect, test } from 'vitest';
import { createApiKeys } from '../../src/api-keys/api-keys.ts';
import { createKeyGenerator } from '../../src/keys/key-generator.ts';
import { createKeyPool } from '../../src/keys/key-pool.ts';
import { createKeyStore } from '../../src/keys/key-store.ts';
import { createKeys } from '../../src/keys/keys.ts';
import { Overloaded } from '../../src/resilience/overloaded.ts';
import { isPostgresUnavailable, openPostgres } from '../../src/storage/postgres/postgres.ts';
import { closeRedis, openRedis } from '../../src/storage/redis/redis.ts';
import { hashPassword } from '../../src/urls/access/password.ts';
import type { CacheEntry } from '../../src/urls/cache/entry.ts';
import { createMemoryCache } from '../../src/urls/cache/memory-cache.ts';
import { createRedisUrlCache } from '../../src/urls/cache/redis-cache.ts';
import type { UrlChange } from '../../src/urls/changes/change.ts';
import { createDestinationPolicy } from '../../src/urls/input/destination-policy.ts';
import { InputRejected } from '../../src/urls/input/rules.ts';
import { createUrlCleanupStore } from '../../src/urls/store/cleanup-store.ts';
import { createUrlStore } from '../../src/urls/store/url-store.ts';
import { CodeDeleted, CodeTaken, UrlExpired, UrlNotFound } from '../../src/urls/url.ts';
import { createUrls } from '../../src/urls/urls.ts';
import { endLocked } from '../support/locks.ts';
import { silentLog, uniquePrefix, useDatabase, useRedis } from '../support/resources.ts';
import { waitUntil } from '../support/wait-until.ts';

const { db } = useDatabase();
const shared = useRedis();
const originalUrl = 'https://example.com/page';
let owner: number;
let otherOwner: number;

beforeAll(async () => {
  const apiKeys = createApiKeys(db());
  owner = (await apiKeys.create('owner')).id;
  otherOwner = (await apiKeys.create('otherOwner')).id;
});

let codes = 0;
const newCode = () => `code-${(codes += 1)}`;

// Disables the memory cache, which has its own tests and would hide the other tiers.
const noMemoryCache: Parameters<typeof createUrls>[0]['memoryCache'] = {
  find: () => undefined,
  findStale: () => undefined,
  put: () => true,
  invalidate: () => {},
  versionOf: () => 0,
};

/** Short URLs on the real stores, with the numbers of cache and database reads, and the changes that could not be
 *  published over Redis. */
function openUrls(redis = shared.redis(), { database = db(), memoryCache = noMemoryCache } = {}) {
  const count = { cache: 0, database: 0 };
  const unpublished: UrlChange[] = [];
  // A separate prefix within the file's, whose keys are removed at the end.
  const prefix = `${shared.prefix}-${uniquePrefix()}`;
  const store = createUrlStore(database);
  const cache = createRedisUrlCache(redis, { prefix, ttlSeconds: 60 });
  const pool = createKeyPool(redis, prefix);
  const keys = createKeys({
    generator: createKeyGenerator(db()),
    pool,
    store: createKeyStore(db()),
    lowWater: 1,
    onLow: () => {},
    log: silentLog,
  });
  const urls = createUrls({
    store: {
      ...store,
      findByCode: async (code) => {
        count.database += 1;
        return await store.findByCode(code);
      },
    },
    cache: {
      ...cache,
      find: async (code) => {
        const entry = await cache.find(code);
        count.cache += 1;
        return entry;
      },
    },
    memoryCache,
    blockedHosts: { evaluate: (entry) => entry },
    onUnpublished: async (change) => void unpublished.push(change),
    keys,
    idempotencyKeys: { findMany: async () => [], findRequestHash: async () => undefined },
    normaliseUrl: createDestinationPolicy({ ownHosts: [], allowPrivate: false, isBlocked: () => false }),
    hashPassword,
    retention: { days: 30, codeReuseDays: 90 },
    log: silentLog,
  });
  const deleteFromCache = async (code: string) => await redis.del(`${prefix}:url:${code}`);
  return { urls, store, cache, keys, pool, count, unpublished, deleteFromCache };
}

const input = (fields: { customCode?: string; expiresAt?: Date } = {}) => ({
  originalUrl,
  expiresAt: null,
  ...fields,
});

/** Returns the error of a rejected promise; undefined if it resolves. */
const errorOf = async (promise: Promise<unknown>): Promise<unknown> =>
  await promise.then(
    () => undefined,
    (error: unknown) => error,
  );

/** Blocks every look-up in the table until `release` is called. */
async function lockTable() {
  const holder = await db().transaction();
  await holder.raw('lock table urls in access exclusive mode');
  return { release: async () => void (await holder.rollback()) };
}

describe('resolve', () => {
  test('a created short URL is resolved from the Redis cache', async () => {
    const { urls, count } = openUrls();
    const { id, shortCode } = (await urls.create(input(), owner)).url;
    expect(await urls.resolve(shortCode, Date.now())).toEqual({ id, originalUrl, expiresAtMs: null });
    expect(count.database).toBe(0);
  });

  test('fifty concurrent visitors of an uncached code cost one database look-up', async () => {
    const { urls, count, deleteFromCache } = openUrls();
    const { shortCode } = (await urls.create(input(), owner)).url;
    await deleteFromCache(shortCode);
    const table = await lockTable();
    const visits = Array.from({ length: 50 }, () => urls.resolve(shortCode, Date.now()));
    await waitUntil('the cache is read once for all look-ups', () => count.cache === 1);
    await table.release();
    expect(new Set((await Promise.all(visits)).map((url) => url.originalUrl))).toEqual(
      new Set([originalUrl]),
    );
    expect(count.database).toBe(1);
    await urls.resolve(shortCode, Date.now());
    expect(count.database).toBe(1);
  });

  test('an unknown code is looked up once and then cached as unknown', async () => {
    const { urls, count } = openUrls();
    const code = newCode();
    await expect(urls.resolve(code, Date.now())).rejects.toThrow(UrlNotFound);
    await expect(urls.resolve(code, Date.now())).rejects.toThrow(UrlNotFound);
    expect(count.database).toBe(1);
    await urls.create(input({ customCode: code }), owner);
    expect(await urls.resolve(code, Date.now())).toMatchObject({ originalUrl });
  });

  test('look-ups beyond the queue limit are rejected at once', async () => {
    const { urls, count } = openUrls();
    const table = await lockTable();
    let refused = 0;
    const visits = Array.from({ length: 1_068 }, async () => {
      try {
        return await urls.resolve(newCode(), Date.now());
      } catch (error) {
        if (error instanceof Overloaded) refused += 1;
        return error;
      }
    });
    try {
      await waitUntil('the remaining look-ups are rejected', () => refused === 44, 1_500);
    } finally {
      await table.release();
    }
    await Promise.all(visits);
    expect(count.database).toBe(1_024);
    expect(urls.resolved).toMatchObject({ unavailable: 44, not_found: 1_024 });
    await expect(urls.resolve(newCode(), Date.now())).rejects.toThrow(UrlNotFound);
  });

  test('look-ups of throttled clients queue behind each other, and delay no others', async () => {
    const { urls, count } = openUrls();
    const { shortCode } = (await urls.create(input(), owner)).url;
    const table = await lockTable();
    const throttled = Array.from(
      { length: 400 },
      async () => await urls.resolve(newCode(), Date.now(), true),
    );
    const same = urls.resolve('throttled', Date.now(), true);
    const outcomes = Promise.allSettled([...throttled, same]);
    const others = Array.from({ length: 200 }, async () => await urls.resolve(newCode(), Date.now()));
    const outcomesOfOthers = Promise.allSettled(others);
    try {
      await waitUntil('all other look-ups read the database', () => count.database >= 202, 1_500);
      expect(count.database).toBe(202);
    } finally {
      await table.release();
    }
    const reasons = [...(await outcomes), ...(await outcomesOfOthers)].map((one) =>
      one.status === 'rejected' ? one.reason : one.value,
    );
    expect(reasons.every((reason) => reason instanceof UrlNotFound)).toBe(true);
    expect(await urls.resolve(shortCode, Date.now(), true)).toMatchObject({ originalUrl });
  });

  test('a failed look-up is not cached', async () => {
    const { urls, store } = openUrls();
    const shortCode = newCode();
    await store.insertMany([
      { shortCode, originalUrl, codeIsGenerated: false, expiresAt: null, createdBy: owner },
    ]);
    const table = await lockTable();
    const visit = urls.resolve(shortCode, Date.now());
    const outcome = visit.then(
      () => 'resolved',
      () => 'failed',
    );
    await endLocked(db(), 'cancel');
    expect(await outcome).toBe('failed');
    await table.release();
    expect(await urls.resolve(shortCode, Date.now())).toMatchObject({ originalUrl });
  });

  test('creates, redirects and deletions work without Redis', async () => {
    const redis = openRedis('cache', 'redis://127.0.0.1:1', silentLog);
    try {
      const { urls, store, unpublished } = openUrls(redis);
      const { shortCode, version } = (await urls.create(input(), owner)).url;
      expect(await urls.resolve(shortCode, Date.now())).toMatchObject({ originalUrl });
      await urls.delete(shortCode, null);
      await expect(urls.resolve(shortCode, Date.now())).rejects.toThrow(UrlNotFound);
      const deleted = await store.findByCode(shortCode);
      expect(unpublished).toEqual([
        { shortCode, version },
        { shortCode, version: deleted!.version },
      ]);
    } finally {
      await closeRedis(redis);
    }
  });

  test('a slow reader cannot restore a deleted short URL', async () => {
    const { urls, store, cache } = openUrls();
    const { shortCode } = (await urls.create(input(), owner)).url;
    const seen = (await store.findByCode(shortCode))!;
    await urls.delete(shortCode, null);
    await cache.put(seen);
    await expect(urls.resolve(shortCode, Date.now())).rejects.toThrow(UrlNotFound);
  });

  test('a request after a published change does not get the result of an earlier read', async () => {
    const memoryCache = createMemoryCache({ maxEntries: 10, maxBytes: 1_000_000 });
    const { urls, cache, count, deleteFromCache } = openUrls(undefined, { memoryCache });
    const { shortCode, version } = (await urls.create(input(), owner)).url;
    await deleteFromCache(shortCode);
    const table = await lockTable();
    const before = errorOf(urls.resolve(shortCode, Date.now()));
    await waitUntil('the database is read', () => count.database === 1);
    const deleted = { shortCode, version: version + 1 };
    await cache.putTombstones([deleted], 'not_found');
    memoryCache.invalidate(shortCode, deleted.version);
    const after = errorOf(urls.resolve(shortCode, Date.now()));
    // The row still exists: the database deleted nothing.
    await table.release();
    expect(await before).toBeInstanceOf(UrlNotFound);
    expect(await after).toBeInstanceOf(UrlNotFound);
    expect(count.database).toBe(1);
  });
});

describe('a change that was not published over Redis', () => {
  /** A short URL that is cached in Redis, and a web process that is connected to the other bus. */
  async function openCached() {
    const memoryCache = createMemoryCache({ maxEntries: 10, maxBytes: 1_000_000 });
    const opened = openUrls(undefined, { memoryCache });
    const { shortCode } = (await opened.urls.create(input(), owner)).url;
    await opened.urls.resolve(shortCode, Date.now());
    expect(opened.unpublished).toEqual([]);
    return { ...opened, memoryCache, shortCode };
  }

  test('overrides the Redis cache once it is published, and the next request repairs Redis', async () => {
    const { urls, store, cache, memoryCache, shortCode } = await openCached();
    const { version } = (await store.delete(shortCode, null))!;
    memoryCache.invalidate(shortCode, version);
    await expect(urls.resolve(shortCode, Date.now())).rejects.toThrow(UrlNotFound);
    expect(await cache.find(shortCode)).toEqual({ negative: 'not_found', version });
  });

  test('is cached as a tombstone of the published version if no row is left', async () => {
    const { urls, store, cache, count, memoryCache, shortCode } = await openCached();
    const { version } = (await store.findByCode(shortCode))!;
    await db()('url_stats').del();
    await db()('urls').where({ short_code: shortCode }).del();
    memoryCache.invalidate(shortCode, version + 1);
    await expect(urls.resolve(shortCode, Date.now())).rejects.toThrow(UrlNotFound);
    expect(await cache.find(shortCode)).toEqual({ negative: 'not_found', version: version + 1 });
    memoryCache.onConnected();
    await expect(urls.resolve(shortCode, Date.now())).rejects.toThrow(UrlNotFound);
    expect(count.database).toBe(1);
  });
});

describe('a stale entry', () => {
  const unreachable = { redis: 'redis://127.0.0.1:1', postgres: 'postgres://unknown@127.0.0.1:1/none' };
  const expiresAtMs = Date.now() + 60_000;
  const known: CacheEntry = { version: 1, url: { id: 1, originalUrl, expiresAtMs } };

  /** A memory cache with stale entries for these codes. */
  function openStale(...codes: string[]) {
    const memoryCache = createMemoryCache({ maxEntries: 10, maxBytes: 1_000_000, staleMs: 60_000 });
    for (const code of codes) memoryCache.put(code, known, performance.now());
    memoryCache.onConnected();
    return memoryCache;
  }

  test('is redirected until it expires while no store answers; other codes fail', async () => {
    const redis = openRedis('cache', unreachable.redis, silentLog);
    const database = openPostgres({
      url: unreachable.postgres,
      poolMax: 1,
      queryTimeoutMs: 1_000,
      name: 'test',
    });
    try {
      const { urls } = openUrls(redis, { database, memoryCache: openStale('known') });
      expect(urls.resolveFromMemory('known', Date.now())).toBeUndefined();
      expect(await urls.resolve('known', expiresAtMs - 1)).toEqual(known.url);
      await expect(urls.resolve('known', expiresAtMs)).rejects.toThrow(UrlExpired);
      await expect(urls.resolve('other', Date.now())).rejects.toSatisfy(isPostgresUnavailable);
    } finally {
      await Promise.all([closeRedis(redis), database.destroy()]);
    }
  });

  test('is not used while the database answers or is overloaded', async () => {
    const [deleted, waiting] = [newCode(), newCode()];
    const { urls } = openUrls(undefined, { memoryCache: openStale(deleted, waiting) });
    await expect(urls.resolve(deleted, Date.now())).rejects.toThrow(UrlNotFound);
    const table = await lockTable();
    const visits = Array.from(
      { length: 1_024 },
      async () => await errorOf(urls.resolve(newCode(), Date.now())),
    );
    const refused = errorOf(urls.resolve(waiting, Date.now()));
    try {
      expect(await refused).toBeInstanceOf(Overloaded);
    } finally {
      await table.release();
    }
    await Promise.all(visits);
  });
});

describe('expiry', () => {
  test('a short URL expires at its exact millisecond, in the cache and the database', async () => {
    const { urls, deleteFromCache } = openUrls();
    const expiresAt = new Date(Date.now() + 60_000);
    const { shortCode } = (await urls.create(input({ expiresAt }), owner)).url;
    for (const prepare of [async () => {}, async () => void (await deleteFromCache(shortCode))]) {
      await prepare();
      expect(await urls.resolve(shortCode, expiresAt.getTime() - 1)).toMatchObject({ originalUrl });
      await prepare();
      await expect(urls.resolve(shortCode, expiresAt.getTime())).rejects.toThrow(UrlExpired);
    }
    await expect(urls.getWithClicks(shortCode, null, expiresAt)).rejects.toThrow(UrlExpired);
  });

  test('an expired short URL stays expired after the clean-up, in the cache and the database', async () => {
    const { urls, cache, deleteFromCache } = openUrls();
    const expiresAt = new Date(Date.now() - 1);
    const { shortCode } = (
      await urls.create(input({ expiresAt }), owner, { now: new Date(Date.now() - 60_000) })
    ).url;
    const disabled = await createUrlCleanupStore(db()).disableExpired(new Date(), 1_000);
    expect(disabled.map((one) => one.shortCode)).toContain(shortCode);
    await cache.putTombstones(disabled, 'expired');
    await expect(urls.resolve(shortCode, Date.now())).rejects.toThrow(UrlExpired);
    await deleteFromCache(shortCode);
    await expect(urls.resolve(shortCode, Date.now())).rejects.toThrow(UrlExpired);
    await expect(urls.resolve(shortCode, Date.now())).rejects.toThrow(UrlExpired);
    await expect(urls.getWithClicks(shortCode, null, new Date())).rejects.toThrow(UrlExpired);
  });

  test('a disabled short URL is not found by visitors, and shown as disabled by the API', async () => {
    const { urls, deleteFromCache } = openUrls();
    for (const expiresAt of [null, new Date(Date.now() + 60_000), new Date(0)]) {
      const { shortCode } = (await urls.create(input(), owner)).url;
      const row = db()('urls').where({ short_code: shortCode });
      await row.update({ is_active: false, expires_at: expiresAt });
      await deleteFromCache(shortCode);
      await expect(urls.resolve(shortCode, Date.now())).rejects.toThrow(UrlNotFound);
      const url = await urls.getWithClicks(shortCode, null, new Date(0)).catch(() => undefined);
      expect(url?.isActive).toBe(expiresAt?.getTime() === 0 ? undefined : false);
    }
  });
});

test('a short URL that another program marks as deleted is not found', async () => {
  const { urls, deleteFromCache } = openUrls();
  const { shortCode } = (await urls.create(input(), owner)).url;
  await db()('urls').where({ short_code: shortCode }).update({ deleted_at: new Date() });
  await deleteFromCache(shortCode);
  await expect(urls.resolve(shortCode, Date.now())).rejects.toThrow(UrlNotFound);
  await expect(urls.getWithClicks(shortCode, null, new Date())).rejects.toThrow(UrlNotFound);
});

describe('create', () => {
  test('a rejected URL stores nothing and takes no key', async () => {
    const { urls, pool } = openUrls();
    await pool.add(['keyAAA1']);
    const wrong = { ...input(), originalUrl: 'javascript:alert(1)' };
    await expect(urls.create(wrong, owner)).rejects.toThrow(InputRejected);
    expect(await pool.size()).toBe(1);
  });

  test('a key that is already a custom code is skipped', async () => {
    for (const keys of [
      ['keyBBB1', 'keyBBB2'],
      ['keyBBB4', 'keyBBB3'],
    ]) {
      const { urls, pool } = openUrls();
      const taken = keys.find((key) => /[13]$/.test(key))!;
      const free = keys.find((key) => key !== taken)!;
      await urls.create(
        { ...input({ customCode: taken }), originalUrl: 'https://example.com/first' },
        otherOwner,
      );
      await pool.add(keys);
      const created = [await urls.create(input(), owner), await urls.create(input(), owner)];
      expect(created[0]!.url.shortCode).toBe(free);
      // The pool is empty by now, so the second key comes from the generator.
      expect(keys).not.toContain(created[1]!.url.shortCode);
      expect(await urls.resolve(taken, Date.now())).toMatchObject({
        originalUrl: 'https://example.com/first',
      });
    }
  });

  test('within one statement, the API key of a reservation gets its code', async () => {
    const { store, keys } = openUrls();
    const [shortCode] = (await keys.reserve(1, owner)) as [string];
    const wanted = [otherOwner, owner].map((createdBy) => ({
      shortCode,
      originalUrl,
      codeIsGenerated: false,
      expiresAt: null,
      createdBy,
    }));
    const [first, second] = await store.insertMany(wanted);
    expect(first).toBeUndefined();
    expect(second).toMatchObject({ shortCode, originalUrl });
  });

  test('one of twenty concurrent creates gets a custom code, the others get CodeTaken', async () => {
    const { urls } = openUrls();
    const customCode = newCode();
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) =>
        urls.create({ ...input({ customCode }), originalUrl: `${originalUrl}/${i}` }, owner),
      ),
    );
    const winners = results.filter((result) => result.status === 'fulfilled');
    const reasons = results.filter((result) => result.status === 'rejected').map((result) => result.reason);
    expect(winners).toHaveLength(1);
    expect(reasons.every((reason) => reason instanceof CodeTaken)).toBe(true);
    expect(await urls.resolve(customCode, Date.now())).toMatchObject({
      originalUrl: winners[0]!.value.url.originalUrl,
    });
    const stored = await db()('urls').where({ short_code: customCode });
    expect(stored).toHaveLength(1);
    expect(await db()('url_stats').where({ url_id: stored[0].id })).toHaveLength(1);
  });

  test('a reserved key can be used once, and only by its API key', async () => {
    const { urls, keys } = openUrls();
    const [customCode] = (await keys.reserve(1, owner)) as [string];
    await expect(urls.create(input({ customCode }), otherOwner)).rejects.toThrow(CodeTaken);
    expect((await urls.create(input({ customCode }), owner)).url.shortCode).toBe(customCode);
    await expect(urls.create(input({ customCode }), owner)).rejects.toThrow(CodeTaken);
    expect(await db()('reserved_keys').where({ short_code: customCode })).toEqual([]);
  });
});

describe('delete', () => {
  test('a deleted short URL is not found, and its code stays taken until the purge', async () => {
    const { urls } = openUrls();
    const customCode = newCode();
    const first = (await urls.create(input({ customCode }), owner)).url;
    await urls.delete(customCode, null);
    await expect(urls.resolve(customCode, Date.now())).rejects.toThrow(UrlNotFound);
    await expect(urls.getWithClicks(customCode, null, new Date())).rejects.toThrow(UrlNotFound);
    await expect(urls.delete(customCode, null)).rejects.toThrow(UrlNotFound);
    await expect(urls.create(input({ customCode }), owner)).rejects.toThrow(CodeDeleted);

    const later = new Date(Date.now() + 1_000);
    expect(await createUrlCleanupStore(db()).purge(later, 0, 0, 1_000)).toBeGreaterThan(0);
    const second = (await urls.create(input({ customCode }), owner)).url;
    expect(second.version).toBeGreaterThan(first.version);
    // The tombstone of the first one is older.
    expect(await urls.resolve(customCode, Date.now())).toMatchObject({ id: second.id });
  });

  test('one of ten concurrent deletions succeeds, the others find nothing', async () => {
    const { urls } = openUrls();
    const { shortCode } = (await urls.create(input(), owner)).url;
    const results = await Promise.allSettled(Array.from({ length: 10 }, () => urls.delete(shortCode, null)));
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
    for (const result of results.filter((one) => one.status === 'rejected'))
      expect(result.reason).toBeInstanceOf(UrlNotFound);
  });

  test('an invalid short code is not found', async () => {
    const { urls } = openUrls();
    for (const code of ['', 'a b c d', 'abcd\0', 'a'.repeat(33), 'admin']) {
      await expect(urls.delete(code, null)).rejects.toThrow(UrlNotFound);
      await expect(urls.getWithClicks(code, null, new Date())).rejects.toThrow(UrlNotFound);
    }
  });
});

test('a create succeeds even if every key of the pool is a custom code', async () => {
  const { urls, pool } = openUrls();
  const taken = Array.from({ length: 50 }, newCode);
  for (const customCode of taken) await urls.create(input({ customCode }), owner);
  await pool.add(taken);
  const { shortCode } = (await urls.create(input(), owner)).url;
  expect(taken).not.toContain(shortCode);
});

test('failed creates consume no keys', async () => {
  const { urls, pool } = openUrls();
  await pool.add(await createKeyGenerator(db()).createKeys(300, 'pool'));
  const before = await pool.size();
  const unknownApiKey = 999_999;
  for (let i = 0; i < 150; i++)
    await expect(urls.create(input(), unknownApiKey)).rejects.toThrow('foreign key');
  expect(await pool.size()).toBe(before - 100);
});

test('a returned key that became a custom code does not return to the pool', async () => {
  const { urls, keys } = openUrls();
  const store = createKeyStore(db());
  const [used, unused] = (await keys.reserve(2, owner)) as [string, string];
  await keys.release([used, unused], owner);
  await urls.create(input({ customCode: used }), owner);
  const returned = await store.takeReturned(1_000);
  expect(returned).not.toContain(used);
  expect(returned).toContain(unused);
});
