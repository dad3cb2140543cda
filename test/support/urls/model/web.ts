import type { Redis } from 'ioredis';
import type { Keys } from '../../../../src/keys/keys.ts';
import { hashPassword } from '../../../../src/urls/access/password.ts';
import { createMemoryCache, type MemoryCache } from '../../../../src/urls/cache/memory-cache.ts';
import { createRedisUrlCache, type RedisUrlCache } from '../../../../src/urls/cache/redis-cache.ts';
import type { UrlStore } from '../../../../src/urls/store/url-store.ts';
import { createUrls } from '../../../../src/urls/urls.ts';
import { silentLog } from '../../resources.ts';
import { createBusConnection } from './bus-connection.ts';
import type { Oracle } from './oracle.ts';
import type { Plan } from './plan.ts';
import type { StoreConnections } from './store-connections.ts';
import type { CacheRedis, UrlStores, UrlTable } from './stores.ts';
import { openTable } from './table.ts';

/** The guaranteed maximum age of a stale entry. */
export const staleMs = 10_000;

/** Faulty replacements of the product's caches, which the model must detect. */
export interface CacheOptions {
  openCache?: typeof openRealCache;
  openMemoryCache?: (real: MemoryCache) => MemoryCache;
}

/** The product's short URLs with a memory cache of their own. */
export function openWeb(
  number: number,
  deps: {
    stores: UrlStores;
    oracle: Oracle;
    connections: StoreConnections;
    options: CacheOptions;
    plan: Plan;
    step: (where: string) => Promise<void>;
  },
) {
  const { stores, oracle, connections, options, plan, step } = deps;
  const { openCache = openRealCache, openMemoryCache = (real) => real } = options;
  const memoryCache = openMemoryCache(
    createMemoryCache({ maxEntries: plan.capacity, maxBytes: 1_000_000, staleMs }),
  );
  const { redis } = stores;
  const cache = openCache(
    {
      mget: connections.to('Redis', 'MGET', (keys) => redis.mget(keys)),
      eval: connections.to('Redis', 'EVAL', (...args) => redis.eval(...args)),
      publish: connections.to('Redis', 'PUBLISH', (...args) => redis.publish(...args)),
      del: connections.to('Redis', 'DEL', (key) => redis.del(key)),
    },
    stores.prefix,
  );
  const table = openTable(stores.table, oracle, connections);
  const failures = countFailures(table.findByCode);
  const findWithClicks = async (code: string) => {
    const url = await table.findByCode(code);
    return url?.isDeleted ? undefined : url;
  };
  const urls = createUrls({
    store: { ...table, findByCode: failures.findByCode, findWithClicks } as unknown as UrlStore,
    cache,
    memoryCache,
    blockedHosts: { evaluate: (entry) => entry },
    // Nothing listens to PostgreSQL in this model.
    onUnpublished: async () => {},
    // Every code is a custom code.
    keys: {} as Keys,
    idempotencyKeys: { findMany: async () => [], findRequestHash: async () => undefined },
    normaliseUrl: (url) => url,
    hashPassword,
    retention: { days: 30, codeReuseDays: 90 },
    log: silentLog,
  });
  const listener = {
    onConnected: memoryCache.onConnected,
    onDisconnected: memoryCache.onDisconnected,
    onChange: (code: string, version: number) => {
      memoryCache.invalidate(code, version);
      oracle.onReceived(version, code, number);
    },
  };
  const bus = createBusConnection(listener, async () => await step('message'), repeat(plan.losses[number]!));
  return { urls, cache, table, memoryCache, failures, bus };
}

function* repeat<T>(list: T[]): Generator<T> {
  for (;;) yield* list;
}

/** Counts the failed look-ups of each code. */
function countFailures(find: UrlTable['findByCode']) {
  const counts = new Map<string, number>();
  const of = (code: string) => counts.get(code) ?? 0;
  return {
    of,
    findByCode: async (code: string) => {
      try {
        return await find(code);
      } catch (error) {
        counts.set(code, of(code) + 1);
        throw error;
      }
    },
  };
}

/** The product's Redis cache. */
export const openRealCache = (redis: CacheRedis, prefix: string): RedisUrlCache =>
  createRedisUrlCache(redis as unknown as Redis, { prefix, ttlSeconds: 3_600 });
