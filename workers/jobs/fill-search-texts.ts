import type { SearchTextStore } from '../../src/urls/store/search-text-store.ts';
import { type JobContext, percentOf } from './job-context.ts';

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
  let [filled, read, lastId] = [0, 0, 0];
  for (let more = total > 0; more;) {
    const slice = await searchTexts.findMissing(lastId, sliceSize);
    if (slice.length > 0) filled += await searchTexts.fillMany(slice);
    read += slice.length;
    lastId = slice.at(-1)?.id ?? lastId;
    await reportProgress(percentOf(read, total));
    more = slice.length === sliceSize && !signal.aborted;
  }
  if (total === 0) return { filled, status: 'nothing to fill' };
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
