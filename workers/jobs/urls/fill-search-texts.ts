import type { SearchTextStore } from '../../../src/urls/search-text/search-text-store.ts';
import { type JobContext, percentOf } from '../../job-context.ts';
import { inSlices } from '../steps/slices.ts';

/** Rows per statement: transactions stay short, and progress is reported often. */
const sliceSize = 500;
/** Delay of the request after the first notification, in which further ones are combined. */
const delayMs = 500;

/** Fills the search texts of short URLs that lack one: external writes, or an older version, created them. */
export async function fillSearchTexts(
  searchTexts: SearchTextStore,
  { reportProgress, signal }: JobContext,
): Promise<{ filled: number; status?: string; interrupted?: boolean }> {
  const total = await searchTexts.countMissing();
  if (total === 0) return { filled: 0, status: 'nothing to fill' };
  let filled = 0;
  let lastId = 0;
  await inSlices(
    async () => {
      const slice = await searchTexts.findMissing(lastId, sliceSize);
      if (slice.length > 0) filled += await searchTexts.fillMany(slice);
      lastId = slice.at(-1)?.id ?? lastId;
      return slice.length;
    },
    {
      signal,
      size: sliceSize,
      onSlice: async (read) => await reportProgress(percentOf(read, total)),
    },
  );
  return { filled, interrupted: signal.aborted };
}

/** Requests the job shortly after external writes, once for all writes within the delay. */
export function createFillRequests(requestJob: () => void) {
  let timer: NodeJS.Timeout | undefined;
  return {
    onWrite(): void {
      timer ??= setTimeout(() => {
        timer = undefined;
        requestJob();
      }, delayMs);
    },
    stop: (): void => clearTimeout(timer),
  };
}
