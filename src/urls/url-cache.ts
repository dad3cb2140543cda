import type { Redis } from 'ioredis';
import { createGathering } from './gathering.ts';
import { channelOf } from './url-announcements.ts';
import type { ShortUrl } from './url.ts';

/** Why a code leads nowhere: expired ones answer differently from unknown, deleted and disabled ones. */
export type GoneReason = 'expired' | 'not found';

/** What a redirect needs to know of a short URL. */
export interface CachedUrl {
  id: number;
  originalUrl: string;
  /** Milliseconds since 1970. */
  expiresAtMs: number | null;
}

/** What is known of a code, as of a version; an unknown code has version 0. */
export type CacheEntry = ({ url: CachedUrl } | { gone: GoneReason }) & { version: number };

export type UrlCache = ReturnType<typeof createUrlCache>;

/** How long a code that no short URL has is remembered as such. */
const unknownTtlSeconds = 10;
const chunkSize = 500;

/** Writes a value unless what is there has the same or a higher version; the same version is the same value, which lives
 *  on. A value begins with "version:". A change is announced on the channel all the same: whoever wrote it before us may have
 *  been a reader. */
const setIfNewer = `
if ARGV[4] ~= '' then redis.call('publish', ARGV[4], ARGV[1] .. ':' .. ARGV[5]) end
local current = redis.call('get', KEYS[1])
if current then
  local version = tonumber(string.match(current, '^(%d+):'))
  if version == tonumber(ARGV[1]) and version > 0 then redis.call('expire', KEYS[1], ARGV[3]) end
  if version and version >= tonumber(ARGV[1]) then return 0 end
end
redis.call('set', KEYS[1], ARGV[1] .. ':' .. ARGV[2], 'EX', ARGV[3])
return 1`;

/** The cache of short URLs in Redis. *Invariant:* every key has a TTL, and a value is only ever replaced by one of a
 *  higher version, so a slow reader cannot bring back what has been changed or deleted since. A deletion is a value too:
 *  a tombstone. Tombstones are written however little room there is: without one an older value would stay. */
export function createUrlCache(
  redis: Redis,
  options: { prefix: string; ttlSeconds: number; hasRoom?: () => boolean },
) {
  const keyOf = (shortCode: string) => `${options.prefix}:url:${shortCode}`;
  /** Up to a tenth longer, so that what was warmed together does not expire together. */
  const jitteredTtl = () => Math.round(options.ttlSeconds * (1 + Math.random() / 10));

  const hasRoom = options.hasRoom ?? (() => true);
  const findTogether = createGathering(async (shortCodes) => {
    const values = await redis.mget(shortCodes.map(keyOf));
    return values.map((value) => (value === null ? undefined : decode(value)));
  });

  async function set(
    shortCode: string,
    version: number,
    body: string,
    ttlSeconds: number,
    isChange = false,
  ): Promise<boolean> {
    const channel = isChange ? channelOf(options.prefix) : '';
    const args = [version, body, ttlSeconds, channel, shortCode];
    return (await redis.eval(setIfNewer, 1, keyOf(shortCode), ...args)) === 1;
  }

  async function setTombstones(gone: Gone[], reason: GoneReason, isChange: boolean): Promise<void> {
    for (let i = 0; i < gone.length; i += chunkSize) {
      await Promise.all(
        gone
          .slice(i, i + chunkSize)
          .map(({ shortCode, version }) =>
            set(shortCode, version, tombstones[reason], jitteredTtl(), isChange),
          ),
      );
    }
  }

  return {
    /** What the cache knows of a code; undefined when nothing. Rejects when Redis does not answer in time. Look-ups of one
     *  turn of the event loop travel together. */
    find: (shortCode: string): Promise<CacheEntry | undefined> => findTogether(shortCode),

    /** Stores what a reader found in the table, if it is newer than what is there, and there is room. */
    async put(url: ShortUrl): Promise<boolean> {
      return hasRoom() && (await set(url.shortCode, url.version, encode(url), jitteredTtl()));
    },

    /** Stores what was created just now, where there is room, and announces it to every web process. */
    async create(url: ShortUrl): Promise<void> {
      if (!hasRoom()) {
        await redis.publish(channelOf(options.prefix), `${url.version}:${url.shortCode}`);
        return;
      }
      await set(url.shortCode, url.version, encode(url), jitteredTtl(), true);
    },

    /** Stores many at once; resolves to how many were newer than what was there. */
    async putMany(urls: ShortUrl[]): Promise<number> {
      let stored = 0;
      for (let i = 0; i < urls.length && hasRoom(); i += chunkSize) {
        const puts = urls
          .slice(i, i + chunkSize)
          .map((url) => set(url.shortCode, url.version, encode(url), jitteredTtl()));
        stored += (await Promise.all(puts)).filter(Boolean).length;
      }
      return stored;
    },

    /** Stores tombstones for what was deleted or disabled just now, as of these versions, and announces them. */
    bury: (gone: Gone[], reason: GoneReason): Promise<void> => setTombstones(gone, reason, true),

    /** Stores the tombstone that a reader's look into the table calls for. */
    putGone: (gone: Gone, reason: GoneReason): Promise<void> => setTombstones([gone], reason, false),

    /** Remembers for a moment that no short URL has this code; any real value is newer. */
    async putUnknown(shortCode: string): Promise<void> {
      if (hasRoom()) await set(shortCode, 0, tombstones['not found'], unknownTtlSeconds);
    },
  };
}

/** A short URL that leads nowhere any more, as of a version. */
interface Gone {
  shortCode: string;
  version: number;
}

const tombstones: Record<GoneReason, string> = { 'not found': '404', expired: '410' };

/** "id,expiry in ms or nothing,original URL": half the size of JSON, and no parser to trip over. */
function encode(url: ShortUrl): string {
  return `${url.id},${url.expiresAt?.getTime() ?? ''},${url.originalUrl}`;
}

function decode(value: string): CacheEntry | undefined {
  const separator = value.indexOf(':');
  const version = Number(value.slice(0, separator));
  const body = value.slice(separator + 1);
  if (body === tombstones['not found']) return { gone: 'not found', version };
  if (body === tombstones.expired) return { gone: 'expired', version };
  const [, id, expiresAtMs, originalUrl] = /^(\d+),(\d*),(.+)$/.exec(body) ?? [];
  // Not ours, or of a later release: the table knows better.
  if (id === undefined || originalUrl === undefined) return undefined;
  return {
    url: { id: Number(id), originalUrl, expiresAtMs: expiresAtMs ? Number(expiresAtMs) : null },
    version,
  };
}
