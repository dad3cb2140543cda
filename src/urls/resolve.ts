import type { Log } from '../log.ts';
import { createConcurrencyLimit } from '../resilience/concurrency-limit.ts';
import { Overloaded } from '../resilience/overloaded.ts';
import { createSingleFlight } from '../resilience/single-flight.ts';
import { isPostgresUnavailable } from '../storage/postgres/postgres.ts';
import type { BlockedHosts } from './blocklist/blocklist.ts';
import {
  type CacheEntry,
  type CachedUrl,
  accessRuleOf,
  type EvaluatedEntry,
  liftVersion,
  type NegativeReason,
  toCacheEntry,
} from './cache/entry.ts';
import type { MemoryCache } from './cache/memory-cache.ts';
import type { RedisUrlCache } from './cache/redis-cache.ts';
import type { UrlStore } from './store/url-store.ts';
import { createUnusableUrls } from './unusable-urls.ts';
import { UrlBlocked, UrlExpired, UrlNotFound } from './url.ts';

/** Concurrent database look-ups of distinct codes, at most. */
const maxLookups = 1_024;
/** The limit for throttled clients, which queue behind each other: other clients never wait for more than two of them. */
const throttledLookups = { concurrency: 2, queueSize: 1_000 };
/** Reads of a short URL that changes concurrently, at most. */
const maxReads = 3;

/** A cache entry and the tier that had it. */
interface Found {
  entry: EvaluatedEntry;
  tier: Tier;
}

/** The tier that resolved a short code: memory cache, Redis cache, database, or an expired entry of the memory cache
 *  while no store answers. */
export type Tier = 'memory' | 'redis' | 'database' | 'stale';

/** Resolves short codes from the memory cache, the Redis cache and the database, in this order. Each result is stored
 *  in the earlier tiers. A failing cache only costs latency. */
export function createUrlResolver(deps: {
  store: Pick<UrlStore, 'findByCode'>;
  cache: Pick<RedisUrlCache, 'find' | 'put' | 'putNegative' | 'putUnknown'>;
  memoryCache: Pick<MemoryCache, 'find' | 'findStale' | 'put' | 'versionOf'>;
  blockedHosts: Pick<BlockedHosts, 'evaluate'>;
  /** Is called with each code that is not found; not with expired ones. */
  onNotFound?: (shortCode: string) => void;
  /** See Epoch. */
  versionFloor?: () => number;
  log: Log;
}) {
  const { store, cache, memoryCache, blockedHosts, onNotFound, versionFloor = () => 0, log } = deps;
  const unusableUrls = createUnusableUrls(log);
  const findInDatabase = createSingleFlight(maxLookups, loadFromDatabase);
  const limitThrottled = createConcurrencyLimit(throttledLookups);
  const find = createSingleFlight(Infinity, async (shortCode) => await load(shortCode, findInDatabase));
  const findForThrottled = createSingleFlight(
    Infinity,
    async (shortCode) =>
      await load(shortCode, async () => await limitThrottled(() => findInDatabase(shortCode))),
  );
  /** Plain numbers, because a counter library is too slow for the redirect path. */
  const resolved = {
    memory: 0,
    redis: 0,
    database: 0,
    stale: 0,
    not_found: 0,
    expired: 0,
    blocked: 0,
    prefetch: 0,
    unavailable: 0,
    error: 0,
  };

  /** Loads an entry, and falls back to a stale one if no store answers. Overload is no such failure. */
  async function load(
    shortCode: string,
    findInDatabase: (shortCode: string) => Promise<CacheEntry>,
  ): Promise<Found> {
    try {
      return await loadFromStores(shortCode, findInDatabase);
    } catch (error) {
      const stale = isPostgresUnavailable(error) ? memoryCache.findStale(shortCode) : undefined;
      if (!stale) throw error;
      return { entry: stale, tier: 'stale' };
    }
  }

  async function loadFromStores(
    shortCode: string,
    findInDatabase: (shortCode: string) => Promise<CacheEntry>,
  ): Promise<Found> {
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
  async function ignoringErrors<T>(operation: Promise<T>): Promise<T | undefined> {
    try {
      return await operation;
    } catch (error) {
      log.debug({ err: error }, 'failed to access the Redis cache');
      return undefined;
    }
  }

  async function lookUp(shortCode: string, isThrottled: boolean): Promise<Found> {
    const entry = memoryCache.find(shortCode);
    if (entry) return { entry, tier: 'memory' };
    try {
      return await (isThrottled ? findForThrottled : find)(shortCode);
    } catch (error) {
      resolved[error instanceof Overloaded || isPostgresUnavailable(error) ? 'unavailable' : 'error'] += 1;
      throw error;
    }
  }

  function negative(reason: NegativeReason, fallbackUrl?: string | null): Error {
    resolved[reason] += 1;
    return reason === 'expired'
      ? new UrlExpired('the short URL has expired', fallbackUrl)
      : new UrlNotFound('short URL not found');
  }

  function blocked(): Error {
    resolved.blocked += 1;
    return new UrlBlocked('the short URL leads to a blocked host');
  }

  return {
    /** Resolves a short code from the memory cache only; undefined if it is not cached, does not redirect or has an
     *  access rule. The caller counts the outcome with `count`. */
    resolveFromMemory(shortCode: string, now: number): CachedUrl | undefined {
      const entry = memoryCache.find(shortCode);
      return entry !== undefined && 'url' in entry && redirectsAtOnce(entry.url, now) ? entry.url : undefined;
    },

    /** Resolves a short code at `now`, through all tiers and whether or not it has an access rule. Throttled clients
     *  read the database after all others. Calls `onTier` with the tier that had the short URL; the caller then counts
     *  the outcome with `count`. Throws UrlNotFound, UrlExpired, UrlBlocked, Overloaded, or the error of PostgreSQL. */
    async resolve(
      shortCode: string,
      now: number,
      isThrottled = false,
      onTier?: (tier: Tier) => void,
    ): Promise<CachedUrl> {
      const { entry, tier } = await lookUp(shortCode, isThrottled);
      if ('negative' in entry) {
        if (entry.negative === 'not_found') onNotFound?.(shortCode);
        throw negative(entry.negative);
      }
      const url = 'blocked' in entry ? entry.blocked : entry.url;
      if (!hasStarted(url, now)) throw negative('not_found');
      if (hasExpired(url, now)) throw negative('expired', url.rules?.fallbackUrl);
      if ('blocked' in entry) throw blocked();
      if (onTier) onTier(tier);
      else resolved[tier] += 1;
      return url;
    },

    /** Counts a redirect once its outcome is certain; a count is never reverted. `prefetch`: the browser loads the
     *  page in advance. */
    count(outcome: Tier | 'prefetch' | 'unavailable' | 'error'): void {
      resolved[outcome] += 1;
    },

    /** Short URLs that cannot redirect because another program stored an unusable URL. */
    unusableUrls: unusableUrls as Pick<typeof unusableUrls, 'count'>,

    /** The number of resolved short codes by outcome. */
    resolved: resolved as Readonly<typeof resolved>,
  };
}

// Written so that NaN counts as expired.
const hasExpired = ({ expiresAtMs }: CachedUrl, now: number) => expiresAtMs !== null && !(expiresAtMs > now);

const hasStarted = ({ rules }: CachedUrl, now: number) =>
  rules === undefined || rules.startsAtMs === null || rules.startsAtMs <= now;

const redirectsAtOnce = (url: CachedUrl, now: number) =>
  !hasExpired(url, now) &&
  (url.rules === undefined || (hasStarted(url, now) && accessRuleOf(url) === undefined));
