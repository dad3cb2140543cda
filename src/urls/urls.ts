import type { Keys } from '../keys/keys.ts';
import { isShortCode } from '../keys/short-code.ts';
import type { Log } from '../log.ts';
import type { PasswordHashing } from './access/password-hashing.ts';
import type { BlockedHosts } from './blocklist/blocklist.ts';
import type { MemoryCache } from './cache/memory-cache.ts';
import type { RedisUrlCache } from './cache/redis-cache.ts';
import type { UrlChange } from './changes/change.ts';
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
import { type ShortUrlWithClicks, UrlExpired, UrlNotFound } from './url.ts';

export type Urls = ReturnType<typeof createUrls>;

/** Short URLs as requests see them: created, resolved, read, changed, deleted. PostgreSQL is the truth; a cache that does not
 *  answer slows a request down and never fails it. */
export function createUrls(deps: {
  store: UrlStore;
  cache: RedisUrlCache;
  memoryCache: Pick<MemoryCache, 'find' | 'findStale' | 'put' | 'invalidate' | 'versionOf'>;
  blockedHosts: Pick<BlockedHosts, 'judge'>;
  /** Tells those who can be told without Redis of a change that Redis could not be told of. */
  onUnpublished: (change: UrlChange) => Promise<void>;
  /** Hears of each code that leads nowhere. */
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
  const tell = createPublisher(deps);
  const deletion = createDeletion({ ...deps, tell });

  return {
    ...createUrlResolver(deps),
    ...createUrlCreation({ ...deps, deletion, tell }),
    ...createUrlChanges({ ...deps, deletion, tell }),
    purge: deletion.purge,

    /** An owner's short URL with its counters, from the table; a disabled one too. Throws UrlNotFound or UrlExpired. */
    async getWithClicks(shortCode: string, owner: Owner, now: Date): Promise<ShortUrlWithClicks> {
      const url = isShortCode(shortCode) ? await deps.store.findWithClicks(shortCode, owner) : undefined;
      if (!url) throw new UrlNotFound('no such short URL');
      if (url.expiresAt && url.expiresAt <= now) throw new UrlExpired('the short URL has expired');
      return url;
    },
  };
}
