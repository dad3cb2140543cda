import type { Keys } from '../keys/keys.ts';
import type { Log } from '../log.ts';
import { isPostgresUnavailable } from '../postgres.ts';
import { createCoalescing } from './coalescing.ts';
import type { Owner } from './owner.ts';
import type { ProcessCache } from './process-cache.ts';
import { isShortCode } from './short-code.ts';
import type { UrlCache } from './url-cache.ts';
import type { UrlChange } from './url-change.ts';
import type { UrlPolicy } from './url-policy.ts';
import { createUrlResolver } from './url-resolver.ts';
import type { UrlStore } from './url-store.ts';
import { CodeTaken, type ShortUrl, type ShortUrlWithClicks, UrlExpired, UrlNotFound } from './url.ts';

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
  processCache: Pick<ProcessCache, 'find' | 'findStale' | 'put' | 'invalidate' | 'versionOf'>;
  /** Tells those who can be told without Redis of a change that Redis could not be told of. */
  onUntold: (change: UrlChange) => Promise<void>;
  keys: Keys;
  normaliseUrl: UrlPolicy;
  log: Log;
}) {
  const { store, cache, processCache, onUntold, keys, normaliseUrl, log } = deps;
  const insert = createCoalescing({
    run: store.insertMany,
    isForAll: isPostgresUnavailable,
    limit: maxInserts,
  });

  /** Waits until the cache has a change, or those are told who would not hear of it from Redis. */
  async function tell(operation: Promise<void>, { shortCode, version }: UrlChange): Promise<void> {
    try {
      await operation;
    } catch (error) {
      log.debug({ err: error, shortCode }, 'the cache could not be told of a change');
      await onUntold({ shortCode, version });
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

  async function getWithClicks(shortCode: string, owner: Owner, now: Date): Promise<ShortUrlWithClicks> {
    const url = isShortCode(shortCode) ? await store.findWithClicks(shortCode, owner) : undefined;
    if (!url) throw new UrlNotFound('no such short URL');
    if (url.expiresAt && url.expiresAt <= now) throw new UrlExpired('the short URL has expired');
    if (!url.isActive) throw new UrlNotFound('no such short URL');
    return url;
  }

  return {
    ...createUrlResolver(deps),

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
      await tell(cache.create(url), url);
      return url;
    },

    /** An owner's short URL with its counters, from the table. Throws UrlNotFound or UrlExpired. */
    getWithClicks,

    /** Deletes an owner's short URL, an expired one too: its redirect answers 404 from now on. Throws UrlNotFound. */
    async delete(shortCode: string, owner: Owner): Promise<void> {
      const deleted = isShortCode(shortCode) ? await store.delete(shortCode, owner) : undefined;
      if (!deleted) throw new UrlNotFound('no such short URL');
      const change = { shortCode, version: deleted.version };
      processCache.invalidate(shortCode, deleted.version);
      await tell(cache.bury([change], 'not found'), change);
    },
  };
}
