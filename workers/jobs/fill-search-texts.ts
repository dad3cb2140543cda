import type { SearchTextStore } from '../../src/urls/store/search-text-store.ts';
import { type JobContext, percentOf } from './job-context.ts';
import { inSlices } from './slices.ts';

/** Rows per statement: short transactions, and progress that moves. */
const sliceSize = 500;
/** Pause between the first notification and the request for the job: more may follow. */
const gatherMs = 500;

/** Fills the search texts of the short URLs that lack one: those that another program or an older version wrote. */
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

/** Requests the job soon after another program has written short URLs, once for all that it writes meanwhile. */
export function createFillRequests(ask: () => void) {
  let timer: NodeJS.Timeout | undefined;
  return {
    onWrite(): void {
      timer ??= setTimeout(() => {
        timer = undefined;
        ask();
      }, gatherMs);
    },
    stop: (): void => clearTimeout(timer),
  };
}
