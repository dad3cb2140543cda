import { describe, expect, test } from 'vitest';
import { Overloaded } from '../../src/resilience/overloaded.ts';
import { isPostgresUnavailable, openPostgres } from '../../src/storage/postgres/postgres.ts';
import { closeRedis } from '../../src/storage/redis/redis.ts';
import type { CacheEntry } from '../../src/urls/cache/entry.ts';
import { createMemoryCache } from '../../src/urls/cache/memory-cache.ts';
import { createUrlCleanupStore } from '../../src/urls/store/cleanup-store.ts';
import { UrlExpired, UrlNotFound } from '../../src/urls/url.ts';
import { endLocked } from '../support/locks.ts';
import { silentLog } from '../support/resources.ts';
import { openSingleRedis } from '../support/services/single-redis.ts';
import { errorOf, input, newCode, originalUrl, useUrls } from '../support/urls/open-urls.ts';
import { waitUntil } from '../support/wait-until.ts';

const { db, openUrls, owner } = useUrls();

/** Blocks every look-up in the table until `release` is called. */
async function lockTable() {
  const holder = await db().transaction();
  await holder.raw('lock table urls in access exclusive mode');
  return { release: async () => void (await holder.rollback()) };
}

describe('resolve', () => {
  test('a created short URL is resolved from the Redis cache', async () => {
    const { urls, count } = openUrls();
    const { id, shortCode } = (await urls.create(input(), owner())).url;
    expect(await urls.resolve(shortCode, Date.now())).toEqual({ id, originalUrl, expiresAtMs: null });
    expect(count.database).toBe(0);
  });

  test('fifty concurrent visitors of an uncached code cost one database look-up', async () => {
    const { urls, count, deleteFromCache } = openUrls();
    const { shortCode } = (await urls.create(input(), owner())).url;
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
    await urls.create(input({ customCode: code }), owner());
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
    const { shortCode } = (await urls.create(input(), owner())).url;
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
      { shortCode, originalUrl, codeIsGenerated: false, expiresAt: null, createdBy: owner() },
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
    const redis = openSingleRedis('cache', 'redis://127.0.0.1:1', silentLog);
    try {
      const { urls, store, unpublished } = openUrls(redis);
      const { shortCode, version } = (await urls.create(input(), owner())).url;
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
    const { shortCode } = (await urls.create(input(), owner())).url;
    const seen = (await store.findByCode(shortCode))!;
    await urls.delete(shortCode, null);
    await cache.put(seen);
    await expect(urls.resolve(shortCode, Date.now())).rejects.toThrow(UrlNotFound);
  });

  test('a request after a published change does not get the result of an earlier read', async () => {
    const memoryCache = createMemoryCache({ maxEntries: 10, maxBytes: 1_000_000 });
    const { urls, cache, count, deleteFromCache } = openUrls(undefined, { memoryCache });
    const { shortCode, version } = (await urls.create(input(), owner())).url;
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
    const { shortCode } = (await opened.urls.create(input(), owner())).url;
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
    const redis = openSingleRedis('cache', unreachable.redis, silentLog);
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
    const { shortCode } = (await urls.create(input({ expiresAt }), owner())).url;
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
      await urls.create(input({ expiresAt }), owner(), { now: new Date(Date.now() - 60_000) })
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
      const { shortCode } = (await urls.create(input(), owner())).url;
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
  const { shortCode } = (await urls.create(input(), owner())).url;
  await db()('urls').where({ short_code: shortCode }).update({ deleted_at: new Date() });
  await deleteFromCache(shortCode);
  await expect(urls.resolve(shortCode, Date.now())).rejects.toThrow(UrlNotFound);
  await expect(urls.getWithClicks(shortCode, null, new Date())).rejects.toThrow(UrlNotFound);
});
