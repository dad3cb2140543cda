import type { Log } from '../log.ts';
import { toCacheEntry } from './cache/entry.ts';
import type { MemoryCache } from './cache/memory-cache.ts';
import type { RedisUrlCache } from './cache/redis-cache.ts';
import type { UrlChange } from './changes/change.ts';
import { codesOf } from './store/aliases.ts';
import type { StoredUrl } from './url.ts';

export type Tell = ReturnType<typeof createPublisher>;

/** Lets everybody know of a change that is in the table: this process at once, then Redis and those who hear of it there, by
 *  `operation`; or those who would not hear of it from Redis. Never rejects for a cache that does not answer. */
export function createPublisher(deps: {
  memoryCache: Pick<MemoryCache, 'invalidate'>;
  /** Tells those who can be told without Redis of a change that Redis could not be told of. */
  onUnpublished: (change: UrlChange) => Promise<void>;
  log: Log;
}) {
  const { memoryCache, onUnpublished, log } = deps;

  return async function tell(
    { shortCode, version }: UrlChange,
    operation: () => Promise<void>,
  ): Promise<void> {
    memoryCache.invalidate(shortCode, version);
    try {
      await operation();
    } catch (error) {
      log.debug({ err: error, shortCode }, 'the cache could not be told of a change');
      await onUnpublished({ shortCode, version });
    }
  };
}

interface Told {
  tell: Tell;
  cache: Pick<RedisUrlCache, 'replace' | 'bury'>;
}

/** Tells of what a short URL is now, under its code and its old ones. */
export async function publishUrl({ tell, cache }: Told, url: StoredUrl): Promise<void> {
  const entry = toCacheEntry(url);
  await Promise.all(
    codesOf(url).map(
      async (shortCode) =>
        await tell({ shortCode, version: url.version }, () => cache.replace([[shortCode, entry]])),
    ),
  );
}

/** Tells that these codes are not found, as of these versions. */
export async function publishRemovals({ tell, cache }: Told, gone: UrlChange[]): Promise<void> {
  await Promise.all(gone.map(async (change) => await tell(change, () => cache.bury([change], 'not found'))));
}
