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
  type GoneReason,
  type JudgedEntry,
  liftVersion,
  toCacheEntry,
} from './cache/entry.ts';
import type { MemoryCache } from './cache/memory-cache.ts';
import type { RedisUrlCache } from './cache/redis-cache.ts';
import type { UrlStore } from './store/url-store.ts';
import { createUnusableUrls } from './unusable-urls.ts';
import { UrlBlocked, UrlExpired, UrlNotFound } from './url.ts';

/** Look-ups in the table that may wait at once, of different codes. */
const maxLookUps = 1_024;
/** Those of suspects, who wait for each other: others never wait behind more of them, nor are refused for them. */
const throttledLookUps = { concurrency: 2, queueSize: 1_000 };
/** Readings of a short URL that is changed at the same time. */
const maxReadings = 3;

/** What is known of a code, and where it was found. */
interface Found {
  entry: JudgedEntry;
  place: Place;
}

type Place = 'by heart' | 'redis' | 'table' | 'stale';

/** Where a short code was found: memory cache, Redis cache, database, or the memory cache beyond its age limit while no store
 *  answers. */
export type Tier = 'memory' | 'redis' | 'database' | 'stale';

const tierOf = {
  'by heart': 'memory',
  redis: 'redis',
  table: 'database',
  stale: 'stale',
} as const satisfies Record<Place, Tier>;
const placeOf = {
  memory: 'by heart',
  redis: 'redis',
  database: 'table',
  stale: 'stale',
  prefetch: 'prefetch',
  unavailable: 'unavailable',
  error: 'error',
} as const;

/** Where short codes lead: by heart, from Redis, from the table, in this order. What a reader finds is put where the next one
 *  looks first. A cache that does not answer costs speed and nothing else. */
export function createUrlResolver(deps: {
  store: Pick<UrlStore, 'findByCode'>;
  cache: Pick<RedisUrlCache, 'find' | 'put' | 'putGone' | 'putUnknown'>;
  memoryCache: Pick<MemoryCache, 'find' | 'findStale' | 'put' | 'versionOf'>;
  blockedHosts: Pick<BlockedHosts, 'judge'>;
  /** Hears of each code that leads nowhere, expired ones aside. */
  onNotFound?: (shortCode: string) => void;
  /** See Epoch. */
  versionFloor?: () => number;
  log: Log;
}) {
  const { store, cache, memoryCache, blockedHosts, onNotFound, versionFloor = () => 0, log } = deps;
  const unusableUrls = createUnusableUrls(log);
  const findInTable = createSingleFlight(maxLookUps, loadFromTable);
  const inTurn = createConcurrencyLimit(throttledLookUps);
  const find = createSingleFlight(Infinity, async (shortCode) => await load(shortCode, findInTable));
  const findForThrottled = createSingleFlight(
    Infinity,
    async (shortCode) => await load(shortCode, async () => await inTurn(() => findInTable(shortCode))),
  );
  /** Plain numbers: a redirect has no time for more. */
  const resolved = {
    'by heart': 0,
    redis: 0,
    table: 0,
    stale: 0,
    'not found': 0,
    expired: 0,
    blocked: 0,
    prefetch: 0,
    unavailable: 0,
    error: 0,
  };

  /** What is known of a code. While neither store answers, what this process knew; Overloaded is no such answer. */
  async function load(shortCode: string, ask: typeof findInTable): Promise<Found> {
    try {
      return await loadFromStores(shortCode, ask);
    } catch (error) {
      const stale = isPostgresUnavailable(error) ? memoryCache.findStale(shortCode) : undefined;
      if (!stale) throw error;
      return { entry: stale, place: 'stale' };
    }
  }

  async function loadFromStores(shortCode: string, ask: typeof findInTable): Promise<Found> {
    for (let readings = 1; ; readings++) {
      const readAt = performance.now();
      const inRedis = await cached(cache.find(shortCode));
      // Redis may not have been told of what was announced here.
      const isUsable = inRedis !== undefined && inRedis.version >= memoryCache.versionOf(shortCode);
      // At the last moment: whoever is told of a change of the list empties the process cache.
      const entry = blockedHosts.judge(isUsable ? inRedis : await ask(shortCode));
      // Who asks after a change was announced may wait for a reading that began before it.
      if (memoryCache.put(shortCode, entry, readAt) || readings === maxReadings)
        return { entry, place: isUsable ? 'redis' : 'table' };
    }
  }

  async function loadFromTable(shortCode: string): Promise<CacheEntry> {
    // Read before the table: a row may be older than a later floor.
    const floor = versionFloor();
    // What is not there as of an announced version was removed.
    const version = Math.max(memoryCache.versionOf(shortCode), floor);
    const url = await store.findByCode(shortCode);
    if (!url) {
      const isRemoved = version > floor;
      await cached(
        isRemoved ? cache.putGone({ shortCode, version }, 'not found') : cache.putUnknown(shortCode, floor),
      );
      return { gone: 'not found', version };
    }
    unusableUrls.check(url);
    const found = toCacheEntry(url);
    const entry = { ...found, version: liftVersion(found.version, floor) };
    await cached<unknown>(
      'gone' in entry
        ? cache.putGone({ shortCode, version: entry.version }, entry.gone)
        : cache.put(url, floor),
    );
    return entry;
  }

  /** What a cache operation gives; undefined when it fails. */
  async function cached<T>(operation: Promise<T>): Promise<T | undefined> {
    try {
      return await operation;
    } catch (error) {
      log.debug({ err: error }, 'the cache did not answer');
      return undefined;
    }
  }

  async function lookUp(shortCode: string, isThrottled: boolean): Promise<Found> {
    const entry = memoryCache.find(shortCode);
    if (entry) return { entry, place: 'by heart' };
    try {
      return await (isThrottled ? findForThrottled : find)(shortCode);
    } catch (error) {
      resolved[error instanceof Overloaded || isPostgresUnavailable(error) ? 'unavailable' : 'error'] += 1;
      throw error;
    }
  }

  function gone(reason: GoneReason, fallbackUrl?: string | null): Error {
    resolved[reason] += 1;
    return reason === 'expired'
      ? new UrlExpired('the short URL has expired', fallbackUrl)
      : new UrlNotFound('no such short URL');
  }

  function refused(): Error {
    resolved.blocked += 1;
    return new UrlBlocked('the short URL leads to a blocked host');
  }

  return {
    /** Where a short code leads at `now`, where this process knows that by heart; undefined when it must ask, leads nowhere, or
     *  has a gate. The caller counts the outcome with `count`. */
    resolveAtOnce(shortCode: string, now: number): CachedUrl | undefined {
      const entry = memoryCache.find(shortCode);
      return entry !== undefined && 'url' in entry && isOpen(entry.url, now) ? entry.url : undefined;
    },

    /** Where a short code leads at `now`, through its gate if it has one: process cache, Redis, table, or what this process knew
     *  while neither of the two answers. A suspect asks the table after all others. Calls `onTier` with the tier that had the
     *  short URL; the caller then counts the outcome with `count`. Throws UrlNotFound, UrlExpired, UrlBlocked, Overloaded, or the error
     *  of PostgreSQL. */
    async resolve(
      shortCode: string,
      now: number,
      isThrottled = false,
      onTier?: (tier: Tier) => void,
    ): Promise<CachedUrl> {
      const { entry, place } = await lookUp(shortCode, isThrottled);
      if ('gone' in entry) {
        if (entry.gone === 'not found') onNotFound?.(shortCode);
        throw gone(entry.gone);
      }
      const url = 'blocked' in entry ? entry.blocked : entry.url;
      if (!hasBegun(url, now)) throw gone('not found');
      if (hasExpired(url, now)) throw gone('expired', url.rules?.fallbackUrl);
      if ('blocked' in entry) throw refused();
      if (onTier) onTier(tierOf[place]);
      else resolved[place] += 1;
      return url;
    },

    /** Counts a redirect once its outcome is certain: what is counted is never taken back. `prefetch`: nobody visits yet. */
    count(outcome: Tier | 'prefetch' | 'unavailable' | 'error'): void {
      resolved[placeOf[outcome]] += 1;
    },

    /** Short URLs that no redirect can lead to, because of what another program wrote. */
    unusableUrls: unusableUrls as Pick<typeof unusableUrls, 'count'>,

    /** How often short codes were resolved, by where they were found or why they lead nowhere. */
    resolved: resolved as Readonly<typeof resolved>,
  };
}

// What cannot be compared counts as expired.
const hasExpired = ({ expiresAtMs }: CachedUrl, now: number) => expiresAtMs !== null && !(expiresAtMs > now);

const hasBegun = ({ rules }: CachedUrl, now: number) =>
  rules === undefined || rules.startsAtMs === null || rules.startsAtMs <= now;

const isOpen = (url: CachedUrl, now: number) =>
  !hasExpired(url, now) &&
  (url.rules === undefined || (hasBegun(url, now) && accessRuleOf(url) === undefined));
