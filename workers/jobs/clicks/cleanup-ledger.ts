import type { ClickStore } from '../../../src/clicks/ledger/apply.ts';
import { type JobContext, percentOf } from '../../job-context.ts';
import { inSlices } from '../steps/slices.ts';

/** Producers per statement: transactions stay short, and progress is reported often. */
const sliceSize = 1_000;

/** Removes producers that have reported nothing for `idleDays` from the ledger. Their totals are kept; batches that still arrive from
 *  them become dead letters. */
export async function cleanupLedger(
  { clickStore }: { clickStore: ClickStore },
  idleDays: number,
  { reportProgress, signal }: JobContext,
) {
  const total = await clickStore.countIdleProducers(idleDays);
  const removed =
    total === 0
      ? 0
      : await inSlices(async () => await clickStore.removeIdleProducers(idleDays, sliceSize), {
          signal,
          onSlice: async (count) => await reportProgress(percentOf(count, total)),
        });
  if (removed === 0) return { removed, status: 'nothing to clean up' };
  return { removed, interrupted: signal.aborted };
}
