import type { Keys } from '../keys/keys.ts';
import type { Log } from '../log.ts';
import { isPostgresUnavailable } from '../postgres.ts';
import { createCoalescing } from './coalescing.ts';
import type { ProcessCache } from './process-cache.ts';
import { isShortCode } from './short-code.ts';
import { createSingleFlight } from './single-flight.ts';
import type { CacheEntry, CachedUrl, UrlCache } from './url-cache.ts';
import type { UrlPolicy } from './url-policy.ts';
import type { UrlStore } from './url-store.ts';
import { CodeTaken, type ShortUrl, type ShortUrlWithClicks, UrlExpired, UrlNotFound } from './url.ts';

/** Look-ups in the table that may wait at once, of different codes. */
const maxLookUps = 256;
/** Short URLs that are inserted by one statement at most. */
const maxInserts = 500;
/** Keys that are tried from the pool. Somebody may have used some of them as custom codes; fresh ones nobody knows. */
const poolTries = 3;
/** So many refusals in a row mean that something else is wrong. */
const maxTries = 10;

export type Urls = ReturnType<typeof createUrls>;

/** Short URLs as requests see them: created, resolved, read, deleted. PostgreSQL is the truth; a cache that does not
 *  answer slows a request down and never fails it. */
export function createUrls(deps: {
  store: UrlStore;
  cache: UrlCache;
  processCache: Pick<ProcessCache, 'find' | 'put' | 'invalidate'>;
  keys: Keys;
  normaliseUrl: UrlPolicy;
  log: Log;
}) {
  const { store, cache, processCache, keys, normaliseUrl, log } = deps;
  const insert = createCoalescing({
    run: store.insertMany,
    isForAll: isPostgresUnavailable,
    limit: maxInserts,
  });
  const find = createSingleFlight(Infinity, loadFromCache);
  const findInTable = createSingleFlight(maxLookUps, loadFromTable);

  async function loadFromCache(shortCode: string): Promise<CacheEntry> {
    const readAt = performance.now();
    const entry = (await cached(cache.find(shortCode))) ?? (await findInTable(shortCode));
    processCache.put(shortCode, entry, readAt);
    return entry;
  }

  async function loadFromTable(shortCode: string): Promise<CacheEntry> {
    const url = await store.findByCode(shortCode);
    if (!url) {
      await cached(cache.putUnknown(shortCode));
      return { gone: 'not found', version: 0 };
    }
    const entry = toCacheEntry(url);
    await cached<unknown>('gone' in entry ? cache.putGone(url, entry.gone) : cache.put(url));
    return entry;
  }

  /** Waits for a cache operation, whose failure costs speed and nothing else. */
  async function cached<T>(operation: Promise<T>): Promise<T | undefined> {
    try {
      return await operation;
    } catch (error) {
      log.debug({ err: error }, 'the cache did not answer');
      return undefined;
    }
  }

  async function insertWithGeneratedKey(originalUrl: string, expiresAt: Date | null, createdBy: number) {
    for (let tries = 0; tries < maxTries; tries++) {
      const shortCode = await (tries < poolTries ? keys.take() : keys.takeFresh());
      try {
        const url = await insert({ shortCode, originalUrl, expiresAt, createdBy, codeIsGenerated: true });
        if (url) return url;
      } catch (error) {
        // While PostgreSQL is away, clients that try again would empty the pool.
        keys.putBack(shortCode);
        throw error;
      }
    }
    throw new Error(`${maxTries} keys in a row were taken`);
  }

  async function insertWithCustomCode(
    shortCode: string,
    originalUrl: string,
    expiresAt: Date | null,
    createdBy: number,
  ) {
    const url = await insert({ shortCode, originalUrl, expiresAt, createdBy, codeIsGenerated: false });
    if (!url) throw new CodeTaken(`the code ${shortCode} is taken`);
    return url;
  }

  async function getWithClicks(shortCode: string, now: Date): Promise<ShortUrlWithClicks> {
    const url = isShortCode(shortCode) ? await store.findWithClicks(shortCode) : undefined;
    if (!url) throw new UrlNotFound('no such short URL');
    if (url.expiresAt && url.expiresAt <= now) throw new UrlExpired('the short URL has expired');
    if (!url.isActive) throw new UrlNotFound('no such short URL');
    return url;
  }

  return {
    /** Creates a short URL under the custom code, or under a key of the pool.
     *  Throws UrlRefused, CodeTaken, or what PostgreSQL throws. */
    async create(
      wish: { originalUrl: string; customCode?: string | undefined; expiresAt: Date | null },
      apiKeyId: number,
    ): Promise<ShortUrl> {
      const originalUrl = normaliseUrl(wish.originalUrl);
      const url =
        wish.customCode === undefined
          ? await insertWithGeneratedKey(originalUrl, wish.expiresAt, apiKeyId)
          : await insertWithCustomCode(wish.customCode, originalUrl, wish.expiresAt, apiKeyId);
      processCache.invalidate(url.shortCode, url.version);
      await cached(cache.create(url));
      return url;
    },

    /** Where a short code leads at `now`, where this process knows that by heart; undefined when it must ask, or leads nowhere. */
    resolveAtOnce(shortCode: string, now: number): CachedUrl | undefined {
      const entry = processCache.find(shortCode);
      if (entry === undefined || 'gone' in entry) return undefined;
      const { expiresAtMs } = entry.url;
      return expiresAtMs === null || expiresAtMs > now ? entry.url : undefined;
    },

    /** Where a short code leads at `now`: process cache, Redis, table. Throws UrlNotFound or UrlExpired. */
    async resolve(shortCode: string, now: number): Promise<CachedUrl> {
      const entry = processCache.find(shortCode) ?? (await find(shortCode));
      if ('gone' in entry) throw goneError(entry.gone);
      const { url } = entry;
      if (url.expiresAtMs !== null && url.expiresAtMs <= now) throw goneError('expired');
      return url;
    },

    /** The short URL with its counters, from the table. Throws UrlNotFound or UrlExpired. */
    getWithClicks,

    /** Deletes a short URL, an expired one too: its redirect answers 404 from now on. Throws UrlNotFound. */
    async delete(shortCode: string): Promise<void> {
      const deleted = isShortCode(shortCode) ? await store.delete(shortCode) : undefined;
      if (!deleted) throw new UrlNotFound('no such short URL');
      processCache.invalidate(shortCode, deleted.version);
      await cached(cache.bury([{ shortCode, version: deleted.version }], 'not found'));
    },
  };
}

function toCacheEntry(url: ShortUrl): CacheEntry {
  if (url.isActive) {
    return {
      url: { id: url.id, originalUrl: url.originalUrl, expiresAtMs: url.expiresAt?.getTime() ?? null },
      version: url.version,
    };
  }
  // The clean-up disables what has expired; whatever else is disabled was disabled by somebody.
  const hasExpired = url.expiresAt !== null && url.expiresAt.getTime() <= Date.now();
  return { gone: hasExpired ? 'expired' : 'not found', version: url.version };
}

function goneError(reason: 'expired' | 'not found'): Error {
  return reason === 'expired'
    ? new UrlExpired('the short URL has expired')
    : new UrlNotFound('no such short URL');
}
