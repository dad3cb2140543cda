import type { Log } from '../log.ts';
import { createConcurrencyLimit } from '../resilience/concurrency-limit.ts';
import { createSingleFlight } from '../resilience/single-flight.ts';
import { isPostgresUnavailable } from '../storage/postgres/postgres.ts';
import type { BlockedHosts } from './blocklist/blocklist.ts';
import { type CacheEntry, type EvaluatedEntry, liftVersion, toCacheEntry } from './cache/entry.ts';
import type { MemoryCache } from './cache/memory-cache.ts';
import type { RedisUrlCache } from './cache/redis-cache.ts';
import type { UrlStore } from './store/url-store.ts';
import { createUnusableUrls } from './unusable-urls.ts';

/** Concurrent database look-ups of distinct codes, at most. */
const maxLookups = 1_024;
/** The limit for throttled clients, which queue behind each other: other clients never wait for more than two of them. */
const throttledLookups = { concurrency: 2, queueSize: 1_000 };
/** Reads of a short URL that changes concurrently, at most. */
const maxReads = 3;

/** A cache entry and the tier that had it. */
export interface Found {
  entry: EvaluatedEntry;
  tier: Tier;
}

/** The tier that resolved a short code: memory cache, Redis cache, database, or an expired entry of the memory cache
 *  while no store answers. */
export type Tier = 'memory' | 'redis' | 'database' | 'stale';

export interface LookupDeps {
  store: Pick<UrlStore, 'findByCode'>;
  cache: Pick<RedisUrlCache, 'find' | 'put' | 'putNegative' | 'putUnknown'>;
  memoryCache: Pick<MemoryCache, 'find' | 'findStale' | 'put' | 'versionOf'>;
  blockedHosts: Pick<BlockedHosts, 'evaluate'>;
  /** See Epoch. */
  versionFloor?: () => number;
  log: Log;
}

/** Looks up short codes in the memory cache, the Redis cache and the database, in this order. Each result is stored in the
 *  earlier tiers. A failing cache only costs latency. */
export function createUrlLookup(deps: LookupDeps) {
  const { store, cache, memoryCache, blockedHosts, versionFloor = () => 0, log } = deps;
  const unusableUrls = createUnusableUrls(log);
  const findInDatabase = createSingleFlight(maxLookups, loadFromDatabase);
  const limitThrottled = createConcurrencyLimit(throttledLookups);
  const find = createSingleFlight(Infinity, async (shortCode) => await load(shortCode, findInDatabase));
  const findForThrottled = createSingleFlight(
    Infinity,
    async (shortCode) =>
      await load(shortCode, async () => await limitThrottled(() => findInDatabase(shortCode))),
  );

  /** Loads an entry from the stores, and falls back to a stale one if none answers. Overload is no such failure. It is one function because
   *  a redirect from Redis costs little more than the promises on its way. */
  async function load(
    shortCode: string,
    findInDatabase: (shortCode: string) => Promise<CacheEntry>,
  ): Promise<Found> {
    try {
      for (let reads = 1; ; reads++) {
        const readAt = performance.now();
        const inRedis = await ignoringErrors(cache.find(shortCode));
        // Redis may lack a change that was published here.
        const isUsable = inRedis !== undefined && inRedis.version >= memoryCache.versionOf(shortCode);
        // Evaluated as late as possible: a later change of the blocklist invalidates the memory cache.
        const entry = blockedHosts.evaluate(isUsable ? inRedis : await findInDatabase(shortCode));
        // False if this request joined a read that began before a published change.
        if (memoryCache.put(shortCode, entry, readAt) || reads === maxReads)
          return { entry, tier: isUsable ? 'redis' : 'database' };
      }
    } catch (error) {
      const stale = isPostgresUnavailable(error) ? memoryCache.findStale(shortCode) : undefined;
      if (!stale) throw error;
      return { entry: stale, tier: 'stale' };
    }
  }

  async function loadFromDatabase(shortCode: string): Promise<CacheEntry> {
    // Read before the database: a row may be older than a later floor.
    const floor = versionFloor();
    // A row that is missing as of a published version was removed.
    const version = Math.max(memoryCache.versionOf(shortCode), floor);
    const url = await store.findByCode(shortCode);
    if (!url) {
      const isRemoved = version > floor;
      await ignoringErrors(
        isRemoved
          ? cache.putNegative({ shortCode, version }, 'not_found')
          : cache.putUnknown(shortCode, floor),
      );
      return { negative: 'not_found', version };
    }
    unusableUrls.check(url);
    const found = toCacheEntry(url);
    const entry = { ...found, version: liftVersion(found.version, floor) };
    await ignoringErrors<unknown>(
      'negative' in entry
        ? cache.putNegative({ shortCode, version: entry.version }, entry.negative)
        : cache.put(url, floor),
    );
    return entry;
  }

  /** Returns the result of a cache operation; undefined when it fails. */
  const ignoringErrors = <T>(operation: Promise<T>): Promise<T | undefined> => operation.catch(logFailure);

  function logFailure(error: unknown): undefined {
    log.debug({ err: error }, 'failed to access the Redis cache');
  }

  return {
    /** Finds the entry of a short code, and its tier. Throttled clients read the database after all others. Throws
     *  Overloaded, or the error of PostgreSQL. */
    async lookUp(shortCode: string, isThrottled: boolean): Promise<Found> {
      const entry = memoryCache.find(shortCode);
      if (entry) return { entry, tier: 'memory' };
      return await (isThrottled ? findForThrottled : find)(shortCode);
    },

    unusableUrls: unusableUrls as Pick<typeof unusableUrls, 'count'>,
  };
}
