import { setTimeout as delay } from 'node:timers/promises';
import type { UrlCache } from '../src/urls/url-cache.ts';
import type { UrlStore } from '../src/urls/url-store.ts';
import { type JobContext, percentOf } from './processor.ts';

const sliceSize = 500;

/** Puts the most clicked short URLs in the cache, at most `perSecond`, so that visitors do not feel it. Versioned like
 *  every write: what is there and newer stays. */
export async function warmCache(
  deps: { urlStore: UrlStore; urlCache: UrlCache; now: () => Date },
  { limit, perSecond }: { limit: number; perSecond: number },
  { reportProgress, signal }: JobContext,
) {
  const urls = await deps.urlStore.findMostClicked(deps.now(), limit);
  let stored = 0;
  for (let i = 0; i < urls.length && !signal.aborted; i += sliceSize) {
    const slice = urls.slice(i, i + sliceSize);
    const [storedNow] = await Promise.all([
      deps.urlCache.putMany(slice),
      delay((1_000 * slice.length) / perSecond),
    ]);
    stored += storedNow;
    await reportProgress(percentOf(i + slice.length, urls.length));
  }
  if (urls.length === 0) return { urls: 0, stored, status: 'nothing to warm up' };
  return { urls: urls.length, stored, interrupted: signal.aborted };
}
