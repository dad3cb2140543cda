import type { Keys } from '../keys/keys.ts';
import type { Log } from '../log.ts';
import type { BlockedHosts } from './blocked-hosts.ts';
import { createDeletion } from './deletion/deletion.ts';
import type { Retention } from './deletion/purge.ts';
import type { IdempotencyKeys } from './idempotency-keys.ts';
import type { Owner } from './owner.ts';
import type { PasswordHashing } from './password-hashing.ts';
import type { ProcessCache } from './process-cache.ts';
import { isShortCode } from './short-code.ts';
import { createTelling } from './telling.ts';
import type { UrlCache } from './url-cache.ts';
import type { UrlChange } from './url-change.ts';
import { createUrlChanges } from './url-changes.ts';
import { createUrlCreation } from './url-creation.ts';
import type { UrlPolicy } from './url-policy.ts';
import { createUrlResolver } from './url-resolver.ts';
import type { UrlStore } from './url-store.ts';
import { type ShortUrlWithClicks, UrlExpired, UrlNotFound } from './url.ts';

export type Urls = ReturnType<typeof createUrls>;

/** Short URLs as requests see them: created, resolved, read, changed, deleted. PostgreSQL is the truth; a cache that does not
 *  answer slows a request down and never fails it. */
export function createUrls(deps: {
  store: UrlStore;
  cache: UrlCache;
  processCache: Pick<ProcessCache, 'find' | 'findStale' | 'put' | 'invalidate' | 'versionOf'>;
  blockedHosts: Pick<BlockedHosts, 'judge'>;
  /** Tells those who can be told without Redis of a change that Redis could not be told of. */
  onUntold: (change: UrlChange) => Promise<void>;
  /** Hears of each code that leads nowhere. */
  onNotFound?: (shortCode: string) => void;
  /** See Epoch. */
  versionFloor?: () => number;
  keys: Keys;
  idempotencyKeys: Pick<IdempotencyKeys, 'findMany' | 'findRequestHash'>;
  normaliseUrl: UrlPolicy;
  hashPassword: PasswordHashing['hashPassword'];
  retention: Retention;
  log: Log;
}) {
  const tell = createTelling(deps);
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
