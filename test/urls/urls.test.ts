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
let stranger: number;

beforeAll(async () => {
  const apiKeys = createApiKeys(db());
  owner = (await apiKeys.create('owner')).id;
  stranger = (await apiKeys.create('stranger')).id;
});

let codes = 0;
const newCode = () => `code-${(codes += 1)}`;

// Its own tests show what it does; here it would hide the others.
const noProcessCache: Parameters<typeof createUrls>[0]['memoryCache'] = {
  find: () => undefined,
  findStale: () => undefined,
  put: () => true,
  invalidate: () => {},
  versionOf: () => 0,
};

/** Short URLs on the real stores; `count` is how often cache and table were asked, `untold` what Redis could not be told of. */
function openUrls(redis = shared.redis(), { database = db(), memoryCache = noProcessCache } = {}) {
  const count = { cache: 0, table: 0 };
  const untold: UrlChange[] = [];
  // A prefix of its own under the file's, whose keys are removed at the end.
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
        count.table += 1;
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
    onUnpublished: async (change) => void untold.push(change),
    keys,
    idempotencyKeys: { findMany: async () => [], findRequestHash: async () => undefined },
    normaliseUrl: createDestinationPolicy({ ownHosts: [], allowPrivate: false, isBlocked: () => false }),
    hashPassword,
    retention: { days: 30, codeReuseDays: 90 },
    log: silentLog,
  });
  const forget = async (code: string) => await redis.del(`${prefix}:url:${code}`);
  return { urls, store, cache, keys, pool, count, untold, forget };
}

const wish = (more: { customCode?: string; expiresAt?: Date } = {}) => ({
  originalUrl,
  expiresAt: null,
  ...more,
});

/** What a promise is rejected with; undefined when it is not. */
const reasonFor = async (promise: Promise<unknown>): Promise<unknown> =>
  await promise.then(
    () => undefined,
    (error: unknown) => error,
  );

/** Makes every look-up in the table wait until `release` is called. */
async function holdTable() {
  const holder = await db().transaction();
  await holder.raw('lock table urls in access exclusive mode');
  return { release: async () => void (await holder.rollback()) };
}

describe('resolve', () => {
  test('a created short URL is resolved without asking the table', async () => {
    const { urls, count } = openUrls();
    const { id, shortCode } = (await urls.create(wish(), owner)).url;
    expect(await urls.resolve(shortCode, Date.now())).toEqual({ id, originalUrl, expiresAtMs: null });
    expect(count.table).toBe(0);
  });

  test('fifty visitors of one code that is not cached cost one look-up in the table', async () => {
    const { urls, count, forget } = openUrls();
    const { shortCode } = (await urls.create(wish(), owner)).url;
    await forget(shortCode);
    const table = await holdTable();
    const visits = Array.from({ length: 50 }, () => urls.resolve(shortCode, Date.now()));
    await waitUntil('the cache was asked, once for all of them', () => count.cache === 1);
    await table.release();
    expect(new Set((await Promise.all(visits)).map((url) => url.originalUrl))).toEqual(
      new Set([originalUrl]),
    );
    expect(count.table).toBe(1);
    await urls.resolve(shortCode, Date.now());
    expect(count.table).toBe(1);
  });

  test('an unknown code is looked up once and then remembered as unknown', async () => {
    const { urls, count } = openUrls();
    const code = newCode();
    await expect(urls.resolve(code, Date.now())).rejects.toThrow(UrlNotFound);
    await expect(urls.resolve(code, Date.now())).rejects.toThrow(UrlNotFound);
    expect(count.table).toBe(1);
    await urls.create(wish({ customCode: code }), owner);
    expect(await urls.resolve(code, Date.now())).toMatchObject({ originalUrl });
  });

  test('of many look-ups that wait at once, those beyond the limit are refused at once', async () => {
    const { urls, count } = openUrls();
    const table = await holdTable();
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
      await waitUntil('the rest is refused while the others wait', () => refused === 44, 1_500);
    } finally {
      await table.release();
    }
    await Promise.all(visits);
    expect(count.table).toBe(1_024);
    expect(urls.resolved).toMatchObject({ unavailable: 44, not_found: 1_024 });
    await expect(urls.resolve(newCode(), Date.now())).rejects.toThrow(UrlNotFound);
  });

  test('those of many suspects wait for each other in front of the table, and others do not wait for them', async () => {
    const { urls, count } = openUrls();
    const { shortCode } = (await urls.create(wish(), owner)).url;
    const table = await holdTable();
    const suspects = Array.from({ length: 400 }, async () => await urls.resolve(newCode(), Date.now(), true));
    const same = urls.resolve('suspected', Date.now(), true);
    const outcomes = Promise.allSettled([...suspects, same]);
    const others = Array.from({ length: 200 }, async () => await urls.resolve(newCode(), Date.now()));
    const outcomesOfOthers = Promise.allSettled(others);
    try {
      await waitUntil('all others ask the table', () => count.table >= 202, 1_500);
      expect(count.table).toBe(202);
    } finally {
      await table.release();
    }
    const reasons = [...(await outcomes), ...(await outcomesOfOthers)].map((one) =>
      one.status === 'rejected' ? one.reason : one.value,
    );
    expect(reasons.every((reason) => reason instanceof UrlNotFound)).toBe(true);
    expect(await urls.resolve(shortCode, Date.now(), true)).toMatchObject({ originalUrl });
  });

  test('a look-up that fails is not remembered', async () => {
    const { urls, store } = openUrls();
    const shortCode = newCode();
    await store.insertMany([
      { shortCode, originalUrl, codeIsGenerated: false, expiresAt: null, createdBy: owner },
    ]);
    const table = await holdTable();
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

  test('with Redis unreachable everything goes on from the table', async () => {
    const redis = openRedis('cache', 'redis://127.0.0.1:1', silentLog);
    try {
      const { urls, store, untold } = openUrls(redis);
      const { shortCode, version } = (await urls.create(wish(), owner)).url;
      expect(await urls.resolve(shortCode, Date.now())).toMatchObject({ originalUrl });
      await urls.delete(shortCode, null);
      await expect(urls.resolve(shortCode, Date.now())).rejects.toThrow(UrlNotFound);
      const deleted = await store.findByCode(shortCode);
      expect(untold).toEqual([
        { shortCode, version },
        { shortCode, version: deleted!.version },
      ]);
    } finally {
      await closeRedis(redis);
    }
  });

  test('a reader that looked before a deletion and fills after it does not bring the short URL back', async () => {
    const { urls, store, cache } = openUrls();
    const { shortCode } = (await urls.create(wish(), owner)).url;
    const seen = (await store.findByCode(shortCode))!;
    await urls.delete(shortCode, null);
    await cache.put(seen);
    await expect(urls.resolve(shortCode, Date.now())).rejects.toThrow(UrlNotFound);
  });

  test('who asks after a change was announced does not get what a look-up found that began before', async () => {
    const memoryCache = createMemoryCache({ maxEntries: 10, maxBytes: 1_000_000 });
    const { urls, cache, count, forget } = openUrls(undefined, { memoryCache });
    const { shortCode, version } = (await urls.create(wish(), owner)).url;
    await forget(shortCode);
    const table = await holdTable();
    const before = reasonFor(urls.resolve(shortCode, Date.now()));
    await waitUntil('the table is asked', () => count.table === 1);
    const deleted = { shortCode, version: version + 1 };
    await cache.putTombstones([deleted], 'not_found');
    memoryCache.invalidate(shortCode, deleted.version);
    const after = reasonFor(urls.resolve(shortCode, Date.now()));
    // Its row is still there: in the table nothing was deleted.
    await table.release();
    expect([await before, await after]).toEqual([expect.any(UrlNotFound), expect.any(UrlNotFound)]);
    expect(count.table).toBe(1);
  });
});

describe('what Redis was not told of', () => {
  /** A short URL that Redis knows, and a web process that hears of changes otherwise. */
  async function openKnown() {
    const memoryCache = createMemoryCache({ maxEntries: 10, maxBytes: 1_000_000 });
    const opened = openUrls(undefined, { memoryCache });
    const { shortCode } = (await opened.urls.create(wish(), owner)).url;
    await opened.urls.resolve(shortCode, Date.now());
    expect(opened.untold).toEqual([]);
    return { ...opened, memoryCache, shortCode };
  }

  test('is not used once a newer version was announced, and Redis is told by who asks', async () => {
    const { urls, store, cache, memoryCache, shortCode } = await openKnown();
    const { version } = (await store.delete(shortCode, null))!;
    memoryCache.invalidate(shortCode, version);
    await expect(urls.resolve(shortCode, Date.now())).rejects.toThrow(UrlNotFound);
    expect(await cache.find(shortCode)).toEqual({ negative: 'not_found', version });
  });

  test('is remembered as gone, as of the announced version, where no row is left', async () => {
    const { urls, store, cache, count, memoryCache, shortCode } = await openKnown();
    const { version } = (await store.findByCode(shortCode))!;
    await db()('url_stats').del();
    await db()('urls').where({ short_code: shortCode }).del();
    memoryCache.invalidate(shortCode, version + 1);
    await expect(urls.resolve(shortCode, Date.now())).rejects.toThrow(UrlNotFound);
    expect(await cache.find(shortCode)).toEqual({ negative: 'not_found', version: version + 1 });
    memoryCache.onConnected();
    await expect(urls.resolve(shortCode, Date.now())).rejects.toThrow(UrlNotFound);
    expect(count.table).toBe(1);
  });
});

describe('a short URL that a web process knew', () => {
  const nowhere = { redis: 'redis://127.0.0.1:1', postgres: 'postgres://nobody@127.0.0.1:1/none' };
  const expiresAtMs = Date.now() + 60_000;
  const known: CacheEntry = { version: 1, url: { id: 1, originalUrl, expiresAtMs } };

  /** A process cache that knew these codes and trusts none of them any more. */
  function openStale(...codes: string[]) {
    const memoryCache = createMemoryCache({ maxEntries: 10, maxBytes: 1_000_000, staleMs: 60_000 });
    for (const code of codes) memoryCache.put(code, known, performance.now());
    memoryCache.onConnected();
    return memoryCache;
  }

  test('is redirected while neither store answers, until it expires; what it did not know fails', async () => {
    const redis = openRedis('cache', nowhere.redis, silentLog);
    const database = openPostgres({ url: nowhere.postgres, poolMax: 1, queryTimeoutMs: 1_000, name: 'test' });
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

  test('is not redirected while the table says otherwise, or has too much to do to say anything', async () => {
    const [deleted, waiting] = [newCode(), newCode()];
    const { urls } = openUrls(undefined, { memoryCache: openStale(deleted, waiting) });
    await expect(urls.resolve(deleted, Date.now())).rejects.toThrow(UrlNotFound);
    const table = await holdTable();
    const visits = Array.from(
      { length: 1_024 },
      async () => await reasonFor(urls.resolve(newCode(), Date.now())),
    );
    const refused = reasonFor(urls.resolve(waiting, Date.now()));
    try {
      expect(await refused).toBeInstanceOf(Overloaded);
    } finally {
      await table.release();
    }
    await Promise.all(visits);
  });
});

describe('expiry', () => {
  test('a short URL is expired from its very millisecond on, from cache and table alike', async () => {
    const { urls, forget } = openUrls();
    const expiresAt = new Date(Date.now() + 60_000);
    const { shortCode } = (await urls.create(wish({ expiresAt }), owner)).url;
    for (const prepare of [async () => {}, async () => void (await forget(shortCode))]) {
      await prepare();
      expect(await urls.resolve(shortCode, expiresAt.getTime() - 1)).toMatchObject({ originalUrl });
      await prepare();
      await expect(urls.resolve(shortCode, expiresAt.getTime())).rejects.toThrow(UrlExpired);
    }
    await expect(urls.getWithClicks(shortCode, null, expiresAt)).rejects.toThrow(UrlExpired);
  });

  test('an expired short URL stays an expired one after the clean-up has disabled it, from cache and table', async () => {
    const { urls, cache, forget } = openUrls();
    const expiresAt = new Date(Date.now() - 1);
    const { shortCode } = (
      await urls.create(wish({ expiresAt }), owner, { now: new Date(Date.now() - 60_000) })
    ).url;
    const disabled = await createUrlCleanupStore(db()).disableExpired(new Date(), 1_000);
    expect(disabled.map((one) => one.shortCode)).toContain(shortCode);
    await cache.putTombstones(disabled, 'expired');
    await expect(urls.resolve(shortCode, Date.now())).rejects.toThrow(UrlExpired);
    await forget(shortCode);
    await expect(urls.resolve(shortCode, Date.now())).rejects.toThrow(UrlExpired);
    await expect(urls.resolve(shortCode, Date.now())).rejects.toThrow(UrlExpired);
    await expect(urls.getWithClicks(shortCode, null, new Date())).rejects.toThrow(UrlExpired);
  });

  test('a disabled short URL is not found by visitors, expired or not, and shown as disabled', async () => {
    const { urls, forget } = openUrls();
    for (const expiresAt of [null, new Date(Date.now() + 60_000), new Date(0)]) {
      const { shortCode } = (await urls.create(wish(), owner)).url;
      const row = db()('urls').where({ short_code: shortCode });
      await row.update({ is_active: false, expires_at: expiresAt });
      await forget(shortCode);
      await expect(urls.resolve(shortCode, Date.now())).rejects.toThrow(UrlNotFound);
      const url = await urls.getWithClicks(shortCode, null, new Date(0)).catch(() => undefined);
      expect(url?.isActive).toBe(expiresAt?.getTime() === 0 ? undefined : false);
    }
  });
});

test('a short URL that another program marks as deleted, and leaves active, is gone', async () => {
  const { urls, forget } = openUrls();
  const { shortCode } = (await urls.create(wish(), owner)).url;
  await db()('urls').where({ short_code: shortCode }).update({ deleted_at: new Date() });
  await forget(shortCode);
  await expect(urls.resolve(shortCode, Date.now())).rejects.toThrow(UrlNotFound);
  await expect(urls.getWithClicks(shortCode, null, new Date())).rejects.toThrow(UrlNotFound);
});

describe('create', () => {
  test('a URL that the policy refuses stores nothing and takes no key', async () => {
    const { urls, pool } = openUrls();
    await pool.add(['keyAAA1']);
    const wrong = { ...wish(), originalUrl: 'javascript:alert(1)' };
    await expect(urls.create(wrong, owner)).rejects.toThrow(InputRejected);
    expect(await pool.size()).toBe(1);
  });

  test('a key that a custom code has taken is passed over for the next one', async () => {
    for (const keys of [
      ['keyBBB1', 'keyBBB2'],
      ['keyBBB4', 'keyBBB3'],
    ]) {
      const { urls, pool } = openUrls();
      const taken = keys.find((key) => /[13]$/.test(key))!;
      const free = keys.find((key) => key !== taken)!;
      await urls.create(
        { ...wish({ customCode: taken }), originalUrl: 'https://example.com/first' },
        stranger,
      );
      await pool.add(keys);
      const created = [await urls.create(wish(), owner), await urls.create(wish(), owner)];
      expect(created[0]!.url.shortCode).toBe(free);
      // The pool is empty by now: the second one comes from the generator.
      expect(keys).not.toContain(created[1]!.url.shortCode);
      expect(await urls.resolve(taken, Date.now())).toMatchObject({
        originalUrl: 'https://example.com/first',
      });
    }
  });

  test('of two who ask in one statement for a code that is reserved for the second, the second gets it', async () => {
    const { store, keys } = openUrls();
    const [shortCode] = (await keys.reserve(1, owner)) as [string];
    const wanted = [stranger, owner].map((createdBy) => ({
      shortCode,
      originalUrl,
      codeIsGenerated: false,
      expiresAt: null,
      createdBy,
    }));
    const [first, second] = await store.insertMany(wanted);
    expect([first, second]).toEqual([undefined, expect.objectContaining({ shortCode, originalUrl })]);
  });

  test('of twenty who ask for one custom code at once, one gets it and the others learn that it is taken', async () => {
    const { urls } = openUrls();
    const customCode = newCode();
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) =>
        urls.create({ ...wish({ customCode }), originalUrl: `${originalUrl}/${i}` }, owner),
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

  test('a reserved key is for its API key alone, and used once', async () => {
    const { urls, keys } = openUrls();
    const [customCode] = (await keys.reserve(1, owner)) as [string];
    await expect(urls.create(wish({ customCode }), stranger)).rejects.toThrow(CodeTaken);
    expect((await urls.create(wish({ customCode }), owner)).url.shortCode).toBe(customCode);
    await expect(urls.create(wish({ customCode }), owner)).rejects.toThrow(CodeTaken);
    expect(await db()('reserved_keys').where({ short_code: customCode })).toEqual([]);
  });
});

describe('delete', () => {
  test('a deleted short URL is gone for every question, and its code stays taken until it is purged', async () => {
    const { urls } = openUrls();
    const customCode = newCode();
    const first = (await urls.create(wish({ customCode }), owner)).url;
    await urls.delete(customCode, null);
    await expect(urls.resolve(customCode, Date.now())).rejects.toThrow(UrlNotFound);
    await expect(urls.getWithClicks(customCode, null, new Date())).rejects.toThrow(UrlNotFound);
    await expect(urls.delete(customCode, null)).rejects.toThrow(UrlNotFound);
    await expect(urls.create(wish({ customCode }), owner)).rejects.toThrow(CodeDeleted);

    const later = new Date(Date.now() + 1_000);
    expect(await createUrlCleanupStore(db()).purge(later, 0, 0, 1_000)).toBeGreaterThan(0);
    const second = (await urls.create(wish({ customCode }), owner)).url;
    expect(second.version).toBeGreaterThan(first.version);
    // The tombstone of the first one is older.
    expect(await urls.resolve(customCode, Date.now())).toMatchObject({ id: second.id });
  });

  test('of ten who delete one short URL at once, one does and the others find nothing', async () => {
    const { urls } = openUrls();
    const { shortCode } = (await urls.create(wish(), owner)).url;
    const results = await Promise.allSettled(Array.from({ length: 10 }, () => urls.delete(shortCode, null)));
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
    for (const result of results.filter((one) => one.status === 'rejected'))
      expect(result.reason).toBeInstanceOf(UrlNotFound);
  });

  test('a code of another shape is not found', async () => {
    const { urls } = openUrls();
    for (const code of ['', 'a b c d', 'abcd\0', 'a'.repeat(33), 'admin']) {
      await expect(urls.delete(code, null)).rejects.toThrow(UrlNotFound);
      await expect(urls.getWithClicks(code, null, new Date())).rejects.toThrow(UrlNotFound);
    }
  });
});

test('a create succeeds although every key of the pool is the custom code of somebody', async () => {
  const { urls, pool } = openUrls();
  const taken = Array.from({ length: 50 }, newCode);
  for (const customCode of taken) await urls.create(wish({ customCode }), owner);
  await pool.add(taken);
  const { shortCode } = (await urls.create(wish(), owner)).url;
  expect(taken).not.toContain(shortCode);
});

test('creates that fail cost no keys', async () => {
  const { urls, pool } = openUrls();
  await pool.add(await createKeyGenerator(db()).createKeys(300, 'pool'));
  const before = await pool.size();
  const nobody = 999_999;
  for (let i = 0; i < 150; i++) await expect(urls.create(wish(), nobody)).rejects.toThrow('foreign key');
  expect(await pool.size()).toBe(before - 100);
});

test('a returned key that somebody then used as a custom code does not come back into the pool', async () => {
  const { urls, keys } = openUrls();
  const store = createKeyStore(db());
  const [used, unused] = (await keys.reserve(2, owner)) as [string, string];
  await keys.release([used, unused], owner);
  await urls.create(wish({ customCode: used }), owner);
  const returned = await store.takeReturned(1_000);
  expect([returned.includes(used), returned.includes(unused)]).toEqual([false, true]);
});
