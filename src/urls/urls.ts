import type { Keys } from '../keys/keys.ts';
import { isShortCode } from '../keys/short-code.ts';
import type { Log } from '../log.ts';
import { createBatchLoader } from '../resilience/batch-loader.ts';
import type { PasswordHashing } from './access/password.ts';
import type { BlockedHosts } from './blocklist/blocklist.ts';
import type { MemoryCache } from './cache/memory-cache.ts';
import type { RedisUrlCache } from './cache/redis-cache.ts';
import type { UrlChange } from './changes/change.ts';
import { createCodeChecks } from './check-code.ts';
import { createUrlCreation } from './create.ts';
import { createDeletion } from './delete.ts';
import type { IdempotencyKeys } from './idempotency/key-store.ts';
import type { DestinationPolicy } from './input/destination-policy.ts';
import { createPublisher } from './publish.ts';
import { createUrlResolver } from './resolve.ts';
import type { Owner } from './store/owner.ts';
import type { Retention } from './store/purge.ts';
import type { UrlStore } from './store/url-store.ts';
import { createUrlChanges } from './update.ts';
import { type ShortUrl, type ShortUrlWithClicks, UrlExpired, UrlNotFound } from './url.ts';

export type Urls = ReturnType<typeof createUrls>;

/** The operations on short URLs. PostgreSQL is the source of truth; a failing cache slows a request down but never
 *  fails it. */
export function createUrls(deps: {
  store: UrlStore;
  cache: RedisUrlCache;
  memoryCache: Pick<MemoryCache, 'find' | 'findStale' | 'put' | 'invalidate' | 'versionOf'>;
  blockedHosts: Pick<BlockedHosts, 'evaluate'>;
  /** Publishes a change that could not be published over Redis. */
  onUnpublished: (change: UrlChange) => Promise<void>;
  /** Is called with each short URL that is new. */
  onCreated?: (url: ShortUrl) => void;
  /** Is called with each code that is not found. */
  onNotFound?: (shortCode: string) => void;
  /** See Epoch. */
  versionFloor?: () => number;
  keys: Keys;
  idempotencyKeys: Pick<IdempotencyKeys, 'findMany' | 'findRequestHash'>;
  normaliseUrl: DestinationPolicy;
  hashPassword: PasswordHashing['hashPassword'];
  retention: Retention;
  log: Log;
}) {
  const publish = createPublisher(deps);
  const deletion = createDeletion({ ...deps, publish });
  const findClicks = createBatchLoader(deps.store.findClicks);

  return {
    ...createUrlResolver(deps),
    ...createUrlCreation({ ...deps, deletion, publish }),
    ...createUrlChanges({ ...deps, deletion, publish }),
    ...createCodeChecks({ ...deps, deletion }),
    purge: deletion.purge,
    purgedAt: deletion.purgedAt,

    /** Adds the counters to a short URL; 0 clicks for one that was purged meanwhile. */
    async withClicks(url: ShortUrl): Promise<ShortUrlWithClicks> {
      const { clickCount = 0, lastAccessedAt = null } = (await findClicks(url.id)) ?? {};
      return { ...url, clickCount, lastAccessedAt };
    },

    /** Returns an owner's short URL with its counters, from the database; a disabled one too. Throws UrlNotFound or
     *  UrlExpired. */
    async getWithClicks(shortCode: string, owner: Owner, now: Date): Promise<ShortUrlWithClicks> {
      const url = isShortCode(shortCode) ? await deps.store.findWithClicks(shortCode, owner) : undefined;
      if (!url) throw new UrlNotFound('short URL not found');
      if (url.expiresAt && url.expiresAt <= now) throw new UrlExpired('the short URL has expired');
      return url;
    },
  };
}
