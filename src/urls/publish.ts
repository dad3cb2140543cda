import type { Log } from '../log.ts';
import { toCacheEntry } from './cache/entry.ts';
import type { MemoryCache } from './cache/memory-cache.ts';
import type { RedisUrlCache } from './cache/redis-cache.ts';
import type { UrlChange } from './changes/change.ts';
import { codesOf } from './store/aliases.ts';
import type { StoredUrl } from './url.ts';

export type Publish = ReturnType<typeof createPublisher>;

/** Publishes a stored change: invalidates this process's memory cache, then runs `operation`, which updates Redis and
 *  notifies the other processes. If Redis fails, `onUnpublished` notifies them instead. Never rejects because of a
 *  cache. */
export function createPublisher(deps: {
  memoryCache: Pick<MemoryCache, 'invalidate'>;
  /** Publishes a change that could not be published over Redis. */
  onUnpublished: (change: UrlChange) => Promise<void>;
  log: Log;
}) {
  const { memoryCache, onUnpublished, log } = deps;

  return async function publish(
    { shortCode, version }: UrlChange,
    operation: () => Promise<void>,
  ): Promise<void> {
    memoryCache.invalidate(shortCode, version);
    try {
      await operation();
    } catch (error) {
      log.debug({ err: error, shortCode }, 'failed to publish change over Redis');
      await onUnpublished({ shortCode, version });
    }
  };
}

interface PublishDeps {
  publish: Publish;
  cache: Pick<RedisUrlCache, 'replace' | 'putTombstones'>;
}

/** Publishes the current state of a short URL under its code and its aliases. */
export async function publishUrl({ publish, cache }: PublishDeps, url: StoredUrl): Promise<void> {
  const entry = toCacheEntry(url);
  await Promise.all(
    codesOf(url).map(
      async (shortCode) =>
        await publish({ shortCode, version: url.version }, () => cache.replace([[shortCode, entry]])),
    ),
  );
}

/** Publishes that these codes are no longer found. */
export async function publishRemovals({ publish, cache }: PublishDeps, changes: UrlChange[]): Promise<void> {
  await Promise.all(
    changes.map(async (change) => await publish(change, () => cache.putTombstones([change], 'not_found'))),
  );
}
