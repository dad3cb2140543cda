import { type CacheEntry, toCacheEntry } from '../../src/urls/cache/entry.ts';
import type { RedisUrlCache } from '../../src/urls/cache/redis-cache.ts';
import type { IdempotencyKeys } from '../../src/urls/idempotency/key-store.ts';
import { codesOf } from '../../src/urls/store/aliases.ts';
import type { UrlCleanupStore } from '../../src/urls/store/cleanup-store.ts';
import { type JobContext, percentOf } from './job-context.ts';

/** Rows per statement: short transactions, and a bar that moves. */
const sliceSize = 1_000;

/** How long a request with an idempotency key can come again. */
const idempotencyKeyMs = 24 * 3_600_000;

/** Disables short URLs whose time is over and puts tombstones in the cache, or where they lead from then on, then purges
 *  those past their retention, ends reservations of purged codes, and removes idempotency keys of a day ago. A crash between the two stores harms nothing: a
 *  cached short URL carries its expiry. */
export async function cleanupExpired(
  deps: {
    cleanupStore: UrlCleanupStore;
    urlCache: RedisUrlCache;
    idempotencyKeys: Pick<IdempotencyKeys, 'removeOld'>;
    now: () => Promise<Date>;
  },
  retention: { days: number; codeReuseDays: number },
  { reportProgress, signal }: JobContext,
) {
  const { cleanupStore, urlCache, idempotencyKeys } = deps;
  const now = await deps.now();
  const total = await cleanupStore.countToClean(now, retention.days);
  let expired = 0;
  let purged = 0;
  for (let more = total > 0; more;) {
    const slice = await cleanupStore.disableExpired(now, sliceSize);
    await urlCache.replace(
      slice.flatMap((url) => codesOf(url).map((code): [string, CacheEntry] => [code, toCacheEntry(url)])),
    );
    expired += slice.length;
    more = slice.length > 0 && !signal.aborted;
    await reportProgress(percentOf(expired, total));
  }
  for (let more = total > 0; more;) {
    const count = await cleanupStore.purge(now, retention.days, retention.codeReuseDays, sliceSize);
    purged += count;
    more = count > 0 && !signal.aborted;
    await reportProgress(percentOf(expired + purged, total));
  }
  for (let more = !signal.aborted; more;) {
    more = (await cleanupStore.endReservations(now, sliceSize)) === sliceSize && !signal.aborted;
  }
  let forgotten = 0;
  for (let more = !signal.aborted; more;) {
    const count = await idempotencyKeys.removeOld(new Date(now.getTime() - idempotencyKeyMs), sliceSize);
    forgotten += count;
    more = count === sliceSize && !signal.aborted;
  }
  if (expired + purged + forgotten === 0)
    return { expired, purged, forgotten, status: 'nothing to clean up' };
  return { expired, purged, forgotten, interrupted: signal.aborted };
}
