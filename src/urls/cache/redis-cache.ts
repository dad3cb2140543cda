import type { Redis } from 'ioredis';
import { createBatchLoader } from '../../resilience/batch-loader.ts';
import type { Breaker } from '../../resilience/circuit-breaker.ts';
import { type UrlChange, writeChange } from '../changes/change.ts';
import { channelOf } from '../changes/redis-bus.ts';
import type { ShortUrl } from '../url.ts';
import { decodeEntry, encodeEntry } from './codec.ts';
import { type CacheEntry, type GoneReason, liftVersion, toCacheEntry } from './entry.ts';
import { createVersionedSet, type VersionedValue } from './versioned-set.ts';

export type RedisUrlCache = ReturnType<typeof createRedisUrlCache>;

/** How long a code that no short URL has is remembered as such. */
const unknownTtlSeconds = 10;
const chunkSize = 500;
/** Keys that one step of a scan looks at, about. */
const scanSize = 1_000;

/** Writes a value where the key still has another one, and announces it. */
const setIfSame = `
if redis.call('get', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('set', KEYS[1], ARGV[2], 'EX', ARGV[3])
redis.call('publish', ARGV[4], ARGV[5])
return 1`;

/** The cache of short URLs in Redis. *Invariant:* every key has a TTL, and a value is only ever replaced by one of a
 *  higher version, so a slow reader cannot bring back what has been changed or deleted since. A deletion is a value too:
 *  a tombstone. Tombstones are written however little room there is: without one an older value would stay.
 *  Values below `versionFloor` belong to an earlier epoch of the database and are never found. A writer passes the floor that
 *  held before it read the database: what it read in an earlier epoch is then below the present floor. */
export function createRedisUrlCache(
  redis: Redis,
  options: {
    prefix: string;
    ttlSeconds: number;
    hasRoom?: () => boolean;
    /** Asks Redis, or does not where that is in vain. What has changed is told to Redis all the same. */
    guard?: Breaker['run'];
    /** See Epoch. */
    versionFloor?: () => number;
  },
) {
  const keyOf = (shortCode: string) => `${options.prefix}:url:${shortCode}`;
  /** Up to a tenth longer, so that what was warmed together does not expire together. */
  const jitteredTtl = () => Math.round(options.ttlSeconds * (1 + Math.random() / 10));

  const floor = options.versionFloor ?? (() => 0);
  const hasRoom = options.hasRoom ?? (() => true);
  const guard: Breaker['run'] = options.guard ?? (async (call) => await call());
  const findTogether = createBatchLoader(findMany);
  const fill = createVersionedSet(redis, { guard });
  const change = createVersionedSet(redis, { channel: channelOf(options.prefix) });

  async function findMany(shortCodes: string[]): Promise<(CacheEntry | undefined)[]> {
    const values = await guard(async () => await redis.mget(shortCodes.map(keyOf)));
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

  /** Stores entries and announces them, whatever room there is: older ones would stay. */
  async function replace(entries: [shortCode: string, CacheEntry][]): Promise<void> {
    for (let i = 0; i < entries.length; i += chunkSize) {
      const chunk = entries.slice(i, i + chunkSize);
      await Promise.all(chunk.map(([shortCode, entry]) => change(toValue(shortCode, entry))));
    }
  }

  return {
    /** What the cache knows of a code; undefined when nothing. Rejects when Redis does not answer in time. Look-ups of one
     *  turn of the event loop travel together. */
    find: (shortCode: string): Promise<CacheEntry | undefined> => findTogether(shortCode),

    /** What the cache knows of each of these codes, at least one, in their order. */
    findMany,

    /** Stores what these codes are now, where it is newer than what is there, and announces it. */
    replace,

    /** The next of the codes that it has, from cursor "0" on until that is the next one again; `looked` is how many keys of
     *  Redis were looked at, about. A code may come twice. */
    async scan(cursor: string): Promise<{ next: string; shortCodes: string[]; looked: number }> {
      const begin = keyOf('');
      const [next, keys] = await redis.scan(cursor, 'MATCH', `${begin}*`, 'COUNT', scanSize);
      return { next, shortCodes: keys.map((key) => key.slice(begin.length)), looked: scanSize };
    },

    /** How many keys Redis has, of whatever kind. */
    countKeys: async (): Promise<number> => await redis.dbsize(),

    /** The floor at present, to be read before the database is read. */
    versionFloor: floor,

    /** Stores what a reader found in the table, if it is newer than what is there, and there is room. */
    async put(url: ShortUrl, floorBefore = 0): Promise<boolean> {
      return hasRoom() && (await fill(toLifted(url, floorBefore)));
    },

    /** Stores what was created just now, where there is room, and announces it to every web process. */
    async create(url: ShortUrl): Promise<void> {
      if (!hasRoom()) {
        await redis.publish(channelOf(options.prefix), writeChange(url));
        return;
      }
      await change(toValue(url.shortCode, toCacheEntry(url)));
    },

    /** Stores many at once; resolves to how many were newer than what was there. */
    async putMany(urls: ShortUrl[], floorBefore = 0): Promise<number> {
      let stored = 0;
      for (let i = 0; i < urls.length && hasRoom(); i += chunkSize) {
        const puts = urls.slice(i, i + chunkSize).map((url) => fill(toLifted(url, floorBefore)));
        stored += (await Promise.all(puts)).filter(Boolean).length;
      }
      return stored;
    },

    /** Stores tombstones for what was deleted or disabled just now, as of these versions, and announces them. */
    bury: (gone: UrlChange[], reason: GoneReason): Promise<void> =>
      replace(gone.map(({ shortCode, version }) => [shortCode, { gone: reason, version }])),

    /** Stores what these codes are, whatever their versions say, where the cache still has what was seen; announces it.
     *  Resolves to how many were stored. */
    async correct(entries: { shortCode: string; seen: CacheEntry; entry: CacheEntry }[]): Promise<number> {
      const stored = await Promise.all(
        entries.map(async ({ shortCode, seen, entry }) => {
          const [before, after] = [seen, entry].map((one) => `${one.version}:${encodeEntry(one)}`);
          const written = writeChange({ shortCode, version: Math.max(entry.version, seen.version + 1) });
          const given = [before!, after!, jitteredTtl(), channelOf(options.prefix), written];
          return await redis.eval(setIfSame, 1, keyOf(shortCode), ...given);
        }),
      );
      return stored.filter((one) => one === 1).length;
    },

    /** Stores the tombstone that a reader's look into the table calls for. */
    async putGone({ shortCode, version }: UrlChange, reason: GoneReason): Promise<void> {
      await fill(toValue(shortCode, { gone: reason, version }));
    },

    /** Remembers for a moment that no short URL has this code; any real value is newer. */
    async putUnknown(shortCode: string, floorBefore = 0): Promise<void> {
      const unknown: CacheEntry = { gone: 'not found', version: floorBefore };
      if (hasRoom()) await fill(toValue(shortCode, unknown, unknownTtlSeconds));
    },
  };
}
