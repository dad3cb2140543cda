import type { RedisUrlCache } from '../../../src/urls/cache/redis-cache.ts';
import type { RefreshCache } from '../../../src/urls/cache/refresh.ts';
import { type CacheWatermark, raiseWatermark, type Watermark } from '../../../src/urls/cache/watermark.ts';
import { startOf, type ChangeLog, allCodes } from '../../../src/urls/changes/change-log.ts';
import { type JobContext, percentOf, type Summary } from '../../job-context.ts';
import { inSlices } from '../steps/slices.ts';

/** Codes per slice: statements stay short, and progress is reported often. */
const sliceSize = 1_000;

interface Deps {
  changes: ChangeLog;
  cache: RedisUrlCache;
  watermark: CacheWatermark;
  refreshCache: RefreshCache;
}

interface Counts {
  checked: number;
  repaired: number;
}

/** Refreshes cache entries that missed a change: external writes without a listener, and failed writes to Redis. It checks the short URLs
 *  that changed since its watermark. It checks the whole cache with `all`, without a watermark, and after a TRUNCATE. */
export async function reconcileCache(
  deps: Deps,
  { all, keepRemovalsSeconds }: { all: boolean; keepRemovalsSeconds: number },
  context: JobContext,
): Promise<Summary> {
  const { changes, watermark } = deps;
  const horizon = await changes.findHorizon();
  const since = usableWatermark(await watermark.read(), horizon.transaction);
  const from = all ? undefined : since?.transaction;
  const found =
    from === undefined ? await compareAll(deps, context) : await compareChanged(deps, from, context);
  const counts = found === 'everything' ? await compareAll(deps, context) : found;
  if (context.signal.aborted) return { ...counts, interrupted: true };
  await watermark.write(raiseWatermark(since, horizon));
  await deleteRemovals(deps, keepRemovalsSeconds, context);
  return counts.checked === 0 ? { ...counts, status: 'nothing to reconcile' } : { ...counts };
}

/** A watermark ahead of PostgreSQL belongs to another or a restored database. */
function usableWatermark(watermark: Watermark | undefined, horizon: string): Watermark | undefined {
  return watermark && BigInt(watermark.next) <= BigInt(horizon) ? watermark : undefined;
}

async function compareChanged(
  { changes, refreshCache }: Deps,
  since: string,
  { reportProgress, signal }: JobContext,
): Promise<Counts | 'everything'> {
  const total = await changes.countChanged(since);
  const counts = { checked: 0, repaired: 0 };
  let cursor = startOf(since);
  for (let hasMore = total > 0; hasMore && !signal.aborted;) {
    const slice = await changes.findChanged(cursor, sliceSize);
    if (slice.length === 0) break;
    if (slice.some(({ shortCode }) => shortCode === allCodes)) return 'everything';
    counts.repaired += await refreshCache(slice.map(({ shortCode }) => shortCode));
    counts.checked += slice.length;
    await reportProgress(percentOf(counts.checked, total));
    cursor = slice.at(-1)!;
    hasMore = slice.length === sliceSize;
  }
  return counts;
}

async function compareAll(
  { cache, refreshCache }: Deps,
  { reportProgress, signal }: JobContext,
): Promise<Counts> {
  const total = await cache.countKeys();
  const counts = { checked: 0, repaired: 0 };
  let scanned = 0;
  let cursor = '0';
  do {
    const slice = await cache.scan(cursor);
    counts.repaired += await refreshCache(slice.shortCodes, { isExact: true });
    counts.checked += slice.shortCodes.length;
    scanned += slice.scanned;
    cursor = slice.next;
    if (slice.shortCodes.length > 0) await reportProgress(percentOf(scanned, total));
  } while (cursor !== '0' && !signal.aborted);
  return counts;
}

/** Deletes removals that are older than every cache entry. */
async function deleteRemovals({ changes }: Deps, keepSeconds: number, { signal }: JobContext): Promise<void> {
  await inSlices(async () => await changes.deleteRemovals(keepSeconds, sliceSize), {
    signal,
    size: sliceSize,
  });
}
