import type { JobContext } from '../../job-context.ts';

/** Calls `runSlice`, which resolves to the number of items that it processed, until a slice is smaller than `size` or the job is
 *  interrupted. Resolves to the number of items in all slices; `onSlice` gets it after each. */
export async function inSlices(
  runSlice: () => Promise<number>,
  options: { signal: JobContext['signal']; size?: number; onSlice?: (total: number) => Promise<void> },
): Promise<number> {
  const { signal, size = 1, onSlice } = options;
  let total = 0;
  for (let isLast = false; !isLast && !signal.aborted;) {
    const count = await runSlice();
    total += count;
    isLast = count < size;
    await onSlice?.(total);
  }
  return total;
}
