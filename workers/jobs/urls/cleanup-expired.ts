import type { SessionStore } from '../../../src/sessions/session-store.ts';
import { type CacheEntry, toCacheEntry } from '../../../src/urls/cache/entry.ts';
import type { RedisUrlCache } from '../../../src/urls/cache/redis-cache.ts';
import type { IdempotencyKeys } from '../../../src/urls/idempotency/key-store.ts';
import { codesOf } from '../../../src/urls/store/aliases.ts';
import type { UrlCleanupStore } from '../../../src/urls/store/cleanup-store.ts';
import { type JobContext, percentOf } from '../../job-context.ts';
import { inSlices } from '../steps/slices.ts';

/** Rows per statement: transactions stay short, and progress is reported often. */
const sliceSize = 1_000;

/** How long an idempotency key is valid. */
const idempotencyKeyMs = 24 * 3_600_000;

/** Disables expired short URLs and replaces their cache entries, purges those past their retention, ends the reservations of purged
 *  codes, and deletes idempotency keys that are a day old, ended sessions and expired sign-in tokens. A crash between PostgreSQL and Redis is harmless: a cache entry holds its
 *  expiry. */
export async function cleanupExpired(
  deps: {
    cleanupStore: UrlCleanupStore;
    urlCache: Pick<RedisUrlCache, 'replace'>;
    idempotencyKeys: Pick<IdempotencyKeys, 'removeOld'>;
    sessions: Pick<SessionStore, 'removeEnded'>;
    now: () => Promise<Date>;
  },
  retention: { days: number; codeReuseDays: number },
  { reportProgress, signal }: JobContext,
) {
  const { cleanupStore, urlCache, idempotencyKeys, sessions } = deps;
  const now = await deps.now();
  const total = await cleanupStore.countDue(now, retention.days);
  const report = async (done: number) => await reportProgress(percentOf(done, total));

  async function disableSlice(): Promise<number> {
    const urls = await cleanupStore.disableExpired(now, sliceSize);
    await urlCache.replace(
      urls.flatMap((url) => codesOf(url).map((code): [string, CacheEntry] => [code, toCacheEntry(url)])),
    );
    return urls.length;
  }

  let expired = 0;
  let purged = 0;
  if (total > 0) {
    expired = await inSlices(disableSlice, { signal, onSlice: report });
    purged = await inSlices(
      async () => await cleanupStore.purge(now, retention.days, retention.codeReuseDays, sliceSize),
      { signal, onSlice: async (count) => await report(expired + count) },
    );
  }
  await inSlices(async () => await cleanupStore.endReservations(now, sliceSize), { signal, size: sliceSize });
  const keysBefore = new Date(now.getTime() - idempotencyKeyMs);
  const deletedKeys = await inSlices(async () => await idempotencyKeys.removeOld(keysBefore, sliceSize), {
    signal,
    size: sliceSize,
  });
  const endedSessions = await inSlices(async () => await sessions.removeEnded(now, sliceSize), {
    signal,
    size: sliceSize,
  });
  if (expired + purged + deletedKeys + endedSessions === 0)
    return { expired, purged, idempotencyKeys: 0, sessions: 0, status: 'nothing to clean up' };
  return {
    expired,
    purged,
    idempotencyKeys: deletedKeys,
    sessions: endedSessions,
    interrupted: signal.aborted,
  };
}
