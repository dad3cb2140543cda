import { setTimeout as delay } from 'node:timers/promises';
import type { RedisUrlCache } from '../../../src/urls/cache/redis-cache.ts';
import type { LeaderStore } from '../../../src/urls/kept-lists/leaders.ts';
import type { UrlStore } from '../../../src/urls/store/url-store.ts';
import { type JobContext, percentOf } from '../../job-context.ts';

const sliceSize = 500;

/** Caches the most clicked short URLs, at most `perSecond`, so that redirects stay fast. Writes are versioned: newer entries are kept. Each
 *  slice is read again before it is written, because short URLs may have changed since the list was read. */
export async function warmCache(
  deps: {
    urlStore: UrlStore;
    leaders: Pick<LeaderStore, 'findMostClicked'>;
    urlCache: RedisUrlCache;
    now: () => Promise<Date>;
  },
  { limit, perSecond }: { limit: number; perSecond: number },
  { reportProgress, signal }: JobContext,
) {
  const urls = await deps.leaders.findMostClicked(await deps.now(), limit);
  let stored = 0;
  for (let i = 0; i < urls.length && !signal.aborted; i += sliceSize) {
    const codes = urls.slice(i, i + sliceSize).map(({ shortCode }) => shortCode);
    const floor = deps.urlCache.versionFloor();
    const slice = await deps.urlStore.findByCodes(codes);
    const [storedNow] = await Promise.all([
      deps.urlCache.putMany(
        slice.filter(({ isActive, isDeleted }) => isActive && !isDeleted),
        floor,
      ),
      delay((1_000 * codes.length) / perSecond),
    ]);
    stored += storedNow;
    await reportProgress(percentOf(i + codes.length, urls.length));
  }
  if (urls.length === 0) return { urls: 0, stored, status: 'nothing to warm up' };
  return { urls: urls.length, stored, interrupted: signal.aborted };
}
