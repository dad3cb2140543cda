import type { Keys } from '../keys/keys.ts';
import type { Log } from '../log.ts';
import { isPostgresUnavailable } from '../postgres.ts';
import { createCoalescing } from './coalescing.ts';
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
  keys: Keys;
  normaliseUrl: UrlPolicy;
  log: Log;
}) {
  const { store, cache, keys, normaliseUrl, log } = deps;
  const insert = createCoalescing({
    run: store.insertMany,
    isForAll: isPostgresUnavailable,
    limit: maxInserts,
  });
  const findInTable = createSingleFlight(maxLookUps, loadFromTable);

  async function loadFromTable(shortCode: string): Promise<CacheEntry> {
    const url = await store.findByCode(shortCode);
    if (!url) {
      await cached(cache.putUnknown(shortCode));
      return { gone: 'not found' };
    }
    const entry = toCacheEntry(url);
    await cached<unknown>('gone' in entry ? cache.bury([url], entry.gone) : cache.put(url));
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
      const url = await insert({ shortCode, originalUrl, expiresAt, createdBy, codeIsGenerated: true });
      if (url) return url;
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
      await cached(cache.put(url));
      return url;
    },

    /** Where a short code leads at `now`: cache, then table. Throws UrlNotFound or UrlExpired. */
    async resolve(shortCode: string, now: number): Promise<CachedUrl> {
      const entry = (await cached(cache.find(shortCode))) ?? (await findInTable(shortCode));
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
      await cached(cache.bury([{ shortCode, version: deleted.version }], 'not found'));
    },
  };
}

function toCacheEntry(url: ShortUrl): CacheEntry {
  if (url.isActive) {
    return {
      url: { id: url.id, originalUrl: url.originalUrl, expiresAtMs: url.expiresAt?.getTime() ?? null },
    };
  }
  // The clean-up disables what has expired; whatever else is disabled was disabled by somebody.
  return { gone: url.expiresAt && url.expiresAt.getTime() <= Date.now() ? 'expired' : 'not found' };
}

function goneError(reason: 'expired' | 'not found'): Error {
  return reason === 'expired'
    ? new UrlExpired('the short URL has expired')
    : new UrlNotFound('no such short URL');
}
