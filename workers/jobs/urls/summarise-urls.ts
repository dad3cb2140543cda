import { findLeaders } from '../../../src/urls/kept-lists/find-leaders.ts';
import type { LeaderStore } from '../../../src/urls/kept-lists/leaders.ts';
import type { SummaryPassStore } from '../../../src/urls/kept-lists/summary-pass.ts';
import { type JobContext, percentOf } from '../../job-context.ts';

/** Short URLs per statement: each takes less than a second. */
const maxSliceSize = 100_000;

export interface SummariseDeps {
  summaries: SummaryPassStore;
  leaders: LeaderStore;
  /** The owners whose lists are kept. */
  findLargeOwners: () => Promise<number[]>;
}

/** Keeps what lists of owners of very many short URLs need: first the short URLs with most and with latest clicks, then short URLs and clicks by tag and
 *  host. Each takes at most a twentieth of the time, or runs now with `always`. Without such an owner it deletes what was kept. */
export async function summariseUrls(
  { summaries, leaders, findLargeOwners }: SummariseDeps,
  options: { leaderCount: number; always: boolean; sliceSize?: number },
  { reportProgress, signal }: JobContext,
) {
  const { leaderCount, always, sliceSize = maxSliceSize } = options;
  const state = await summaries.readState();
  const isSummaryDue = always || state.isDue;
  const owners = isSummaryDue ? await findLargeOwners() : state.owners;
  if (owners.length === 0) {
    await summaries.clear();
    await leaders.clear();
    return { status: 'lists of few short URLs are made when they are read' };
  }
  const result: { leaders?: number; summaries?: 'kept' | 'another run is in progress' } = {};
  if (always || (await leaders.isDue())) {
    const found = await findLeaders(
      leaders,
      { owners, count: leaderCount, sliceSize, signal },
      async (read, total) => await reportProgress(percentOf(read, 2 * total)),
    );
    if (!found) return { ...result, interrupted: true };
    await leaders.replace(found.leaders, found);
    result.leaders = [...found.leaders.values()].reduce((sum, { clicks }) => sum + clicks.length, 0);
  }
  if (isSummaryDue) {
    const isKept = await keepSummaries(summaries, { owners, sliceSize }, { reportProgress, signal });
    if (isKept === undefined) return { ...result, interrupted: true };
    result.summaries = isKept ? 'kept' : 'another run is in progress';
  }
  return result;
}

/** Counts by tag and host and keeps the result; false if another run does, undefined if interrupted. */
async function keepSummaries(
  summaries: SummaryPassStore,
  { owners, sliceSize }: { owners: readonly number[]; sliceSize: number },
  { reportProgress, signal }: JobContext,
): Promise<boolean | undefined> {
  const startedAt = performance.now();
  const pass = await summaries.begin();
  if (!pass) return false;
  const highestId = await summaries.findHighestId();
  let after = Number.MIN_SAFE_INTEGER;
  for (;;) {
    if (signal.aborted) {
      await summaries.abort(pass);
      return undefined;
    }
    const last = await summaries.findSlice(after, sliceSize);
    if (last === undefined) break;
    if (!(await summaries.addSlice(pass, { after, last }, owners))) return false;
    after = last;
    await reportProgress(percentOf(highestId + after, 2 * highestId));
  }
  return await summaries.complete(pass, { owners, seconds: (performance.now() - startedAt) / 1_000 });
}
