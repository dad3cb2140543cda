import type { ClickStore } from '../../src/clicks/ledger/apply.ts';
import { type JobContext, percentOf } from './job-context.ts';

/** Producers per statement: short transactions, and a bar that moves. */
const sliceSize = 1_000;

/** Removes producers of which nothing was heard for `idleDays` from the ledger; their totals stay in the books, and what
 *  still comes from them goes to the quarantine. */
export async function cleanupLedger(
  { clickStore }: { clickStore: ClickStore },
  idleDays: number,
  { reportProgress, signal }: JobContext,
) {
  const total = await clickStore.countIdleProducers(idleDays);
  let removed = 0;
  for (let more = total > 0; more;) {
    const count = await clickStore.removeIdleProducers(idleDays, sliceSize);
    removed += count;
    await reportProgress(percentOf(removed, total));
    more = count > 0 && !signal.aborted;
  }
  if (removed === 0) return { removed, status: 'nothing to clean up' };
  return { removed, interrupted: signal.aborted };
}
