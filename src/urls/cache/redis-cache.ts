import { createBatchLoader } from '../../resilience/batch-loader.ts';
import type { Breaker } from '../../resilience/circuit-breaker.ts';
import type { RedisClient } from '../../storage/redis/client.ts';
import { countKeys, getMany, scanKeys } from '../../storage/redis/keys.ts';
import { type UrlChange, encodeChange } from '../changes/change.ts';
import { channelOf } from '../changes/redis-bus.ts';
import type { ShortUrl } from '../url.ts';
import { decodeEntry, encodeEntry } from './codec.ts';
import { type CacheEntry, type NegativeReason, liftVersion, toCacheEntry } from './entry.ts';
import { createVersionedSet, type VersionedValue } from './versioned-set.ts';

export type RedisUrlCache = ReturnType<typeof createRedisUrlCache>;

/** TTL of the negative entry of an unknown code. */
const unknownTtlSeconds = 10;
const chunkSize = 500;
/** Approximate number of keys per step of a scan. */
const scanSize = 1_000;

/** Replaces a value only if it is unchanged, and publishes the change. */
const setIfSame = `
if redis.call('get', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('set', KEYS[1], ARGV[2], 'EX', ARGV[3])
redis.call('publish', ARGV[4], ARGV[5])
return 1`;

/** The L2 cache of short URLs, in Redis. *Invariant:* every key has a TTL, and only a higher version replaces a value,
 *  so a slow reader cannot restore an outdated one. A deletion is a value too: a tombstone. Tombstones are written
 *  even when memory is low, because an older value would remain otherwise.
 *   Values below `versionFloor` belong to an earlier epoch of the database and are ignored. A writer passes the floor
 *  from before its database read, so values read in an earlier epoch stay below the current floor. */
export function createRedisUrlCache(
  redis: RedisClient,
  options: {
    prefix: string;
    ttlSeconds: number;
    hasRoom?: () => boolean;
    /** The circuit breaker for reads. Changes are sent to Redis even while it is open. */
    guard?: Breaker['run'];
    /** See Epoch. */
    versionFloor?: () => number;
  },
) {
  const keyOf = (shortCode: string) => `${options.prefix}:url:${shortCode}`;
  /** Up to 10 % longer, so that entries stored by one warm-up do not expire together. */
  const jitteredTtl = () => Math.round(options.ttlSeconds * (1 + Math.random() / 10));

  const floor = options.versionFloor ?? (() => 0);
  const hasRoom = options.hasRoom ?? (() => true);
  const guard: Breaker['run'] = options.guard ?? (async (call) => await call());
  const findBatched = createBatchLoader(findMany);
  const fill = createVersionedSet(redis, { guard });
  const change = createVersionedSet(redis, { channel: channelOf(options.prefix) });

  async function findMany(shortCodes: string[]): Promise<(CacheEntry | undefined)[]> {
    const values = await guard(async () => await getMany(redis, shortCodes.map(keyOf)));
    return values.map((value) => {
      const entry = value === null ? undefined : decodeEntry(value);
      return entry && entry.version >= floor() ? entry : undefined;
    });
  }

  const toValue = (shortCode: string, entry: CacheEntry, ttlSeconds = jitteredTtl()): VersionedValue => ({
    shortCode,
    key: keyOf(shortCode),
    version: entry.version,
    value: encodeEntry(entry),
    ttlSeconds,
  });
  const toLifted = (url: ShortUrl, floorBefore: number): VersionedValue => {
    const entry = toCacheEntry(url);
    return toValue(url.shortCode, { ...entry, version: liftVersion(entry.version, floorBefore) });
  };

  /** Stores and publishes entries even when memory is low, because older values would remain otherwise. */
  async function replace(entries: [shortCode: string, CacheEntry][]): Promise<void> {
    for (let i = 0; i < entries.length; i += chunkSize) {
      const chunk = entries.slice(i, i + chunkSize);
      await Promise.all(chunk.map(([shortCode, entry]) => change(toValue(shortCode, entry))));
    }
  }

  return {
    /** Returns the entry of a code, if any. Rejects when Redis does not answer in time. Look-ups of one turn of the
     *  event loop share a command. */
    find: (shortCode: string): Promise<CacheEntry | undefined> => findBatched(shortCode),

    /** Returns the entries of at least one code, in order. */
    findMany,

    /** Stores newer entries and publishes them. */
    replace,

    /** Scans the cached codes from cursor "0" until `next` is "0" again. `scanned` is the approximate number of scanned
     *  keys. A code may occur twice. */
    async scan(cursor: string): Promise<{ next: string; shortCodes: string[]; scanned: number }> {
      const keyPrefix = keyOf('');
      const { next, keys } = await scanKeys(redis, { cursor, pattern: `${keyPrefix}*`, count: scanSize });
      return { next, shortCodes: keys.map((key) => key.slice(keyPrefix.length)), scanned: scanSize };
    },

    /** The number of all keys in Redis. */
    countKeys: async (): Promise<number> => await countKeys(redis),

    /** The current floor; read it before the database. */
    versionFloor: floor,

    /** Stores a row that was read from the database, if it is newer and memory allows. */
    async put(url: ShortUrl, floorBefore = 0): Promise<boolean> {
      return hasRoom() && (await fill(toLifted(url, floorBefore)));
    },

    /** Stores a new short URL if memory allows, and publishes it to all web processes. */
    async create(url: ShortUrl): Promise<void> {
      if (!hasRoom()) {
        await redis.publish(channelOf(options.prefix), encodeChange(url));
        return;
      }
      await change(toValue(url.shortCode, toCacheEntry(url)));
    },

    /** Stores many rows; resolves to the number that were newer. */
    async putMany(urls: ShortUrl[], floorBefore = 0): Promise<number> {
      let stored = 0;
      for (let i = 0; i < urls.length && hasRoom(); i += chunkSize) {
        const puts = urls.slice(i, i + chunkSize).map((url) => fill(toLifted(url, floorBefore)));
        stored += (await Promise.all(puts)).filter(Boolean).length;
      }
      return stored;
    },

    /** Stores and publishes tombstones for deleted or disabled short URLs. */
    putTombstones: (changes: UrlChange[], reason: NegativeReason): Promise<void> =>
      replace(changes.map(({ shortCode, version }) => [shortCode, { negative: reason, version }])),

    /** Replaces entries regardless of their versions, if the cache still has the ones that were `seen`, and publishes
     *  them. Resolves to the number of replaced entries. */
    async correct(entries: { shortCode: string; seen: CacheEntry; entry: CacheEntry }[]): Promise<number> {
      const stored = await Promise.all(
        entries.map(async ({ shortCode, seen, entry }) => {
          const [before, after] = [seen, entry].map((value) => `${value.version}:${encodeEntry(value)}`);
          const message = encodeChange({ shortCode, version: Math.max(entry.version, seen.version + 1) });
          const args = [before!, after!, jitteredTtl(), channelOf(options.prefix), message];
          return await redis.eval(setIfSame, 1, keyOf(shortCode), ...args);
        }),
      );
      return stored.filter((isStored) => isStored === 1).length;
    },

    /** Stores the negative entry for a row that was read from the database. */
    async putNegative({ shortCode, version }: UrlChange, reason: NegativeReason): Promise<void> {
      await fill(toValue(shortCode, { negative: reason, version }));
    },

    /** Stores a short-lived negative entry for an unknown code; any real value is newer. */
    async putUnknown(shortCode: string, floorBefore = 0): Promise<void> {
      const unknown: CacheEntry = { negative: 'not_found', version: floorBefore };
      if (hasRoom()) await fill(toValue(shortCode, unknown, unknownTtlSeconds));
    },
  };
}
