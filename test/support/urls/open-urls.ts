import { createKeyGenerator } from '../../../src/keys/key-generator.ts';
import { createKeyPool } from '../../../src/keys/key-pool.ts';
import { createKeyStore } from '../../../src/keys/key-store.ts';
import { createKeys } from '../../../src/keys/keys.ts';
import { hashPassword } from '../../../src/urls/access/password.ts';
import { createRedisUrlCache } from '../../../src/urls/cache/redis-cache.ts';
import type { UrlChange } from '../../../src/urls/changes/change.ts';
import { createDestinationPolicy } from '../../../src/urls/input/destination-policy.ts';
import { createUrlStore } from '../../../src/urls/store/url-store.ts';
import { createUrls } from '../../../src/urls/urls.ts';
import { silentLog, uniquePrefix, useDatabase, useRedis } from '../resources.ts';
import { useOwners } from './owners.ts';

export const originalUrl = 'https://example.com/page';

// Disables the memory cache, which has its own tests and would hide the other tiers.
const noMemoryCache: Parameters<typeof createUrls>[0]['memoryCache'] = {
  find: () => undefined,
  findStale: () => undefined,
  put: () => true,
  invalidate: () => {},
  versionOf: () => 0,
};

/** The input of a create. */
export const input = (fields: { customCode?: string; expiresAt?: Date } = {}) => ({
  originalUrl,
  expiresAt: null,
  ...fields,
});

let codes = 0;
/** A short code that no other test uses. */
export const newCode = () => `code-${(codes += 1)}`;

/** The short URLs of a test file, on its own database and with its own Redis prefix. */
export function useUrls() {
  const { db } = useDatabase();
  const shared = useRedis();
  const owners = useOwners(db);

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

  return { db, ...owners, openUrls };
}

/** Returns the error of a rejected promise; undefined if it resolves. */
export const errorOf = async (promise: Promise<unknown>): Promise<unknown> =>
  await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
