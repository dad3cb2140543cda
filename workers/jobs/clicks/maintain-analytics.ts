import type { ClickFeedStore } from '../../../src/analytics/feed/feed-store.ts';
import type { AnalyticsPartitions } from '../../../src/analytics/partitions/partitions.ts';
import type { AnalyticsPurge } from '../../../src/analytics/rollups/purge.ts';
import type { ClickSegments } from '../../../src/analytics/rollups/segments.ts';
import type { VisitorSaltStore } from '../../../src/clicks/enrichment/visitor-salt-store.ts';
import { isPermissionDenied } from '../../../src/storage/postgres/errors.ts';
import { type JobContext, percentOf } from '../../job-context.ts';
import { inSlices } from '../steps/slices.ts';
import { runSteps, type Step, throwFailures } from '../steps/steps.ts';

const dayMs = 86_400_000;
/** Partitions are created this long before their day begins, so that clicks have one for a week without this job. */
const daysAhead = 7;
/** Short URLs per transaction. */
const sliceSize = 100;

/** Deletes old salts of visitor IDs, creates partitions for the next days, drops days past their retention once their visitors are
 *  counted, deletes the analytics of purged short URLs, and renumbers rows that a dump restored. A failed step does not keep the others
 *  from running; the job fails at the end. When a table stays locked, no further partition is changed, because clicks would wait behind
 *  each attempt: `busy` counts it, and the next run continues. */
export async function maintainAnalytics(
  deps: {
    salts: Pick<VisitorSaltStore, 'deleteOld'>;
    partitions: AnalyticsPartitions;
    segments: ClickSegments;
    removals: AnalyticsPurge;
    clickFeed: Pick<ClickFeedStore, 'renumberRestored'>;
    now: () => Promise<Date>;
  },
  retentionDays: number,
  { reportProgress, signal }: JobContext,
) {
  const { partitions, segments, removals, clickFeed, salts, now } = deps;
  const todayMs = (await now()).getTime();
  const dayAfter = (days: number) => new Date(todayMs + days * dayMs).toISOString().slice(0, 10);
  const summary = { created: 0, skipped: 0, removed: 0, dropped: 0, renumbered: 0, busy: 0 };
  /** A worker reports this as a condition; it does not fail the job every hour. */
  let isForbidden = false;
  // Starts yesterday, whose clicks may still arrive.
  const currentDays = Array.from({ length: daysAhead + 2 }, (_, i) => dayAfter(i - 1)).filter(
    (day) => day >= dayAfter(-retentionDays),
  );
  let expiredDays: string[] = [];
  let purged = 0;
  let done = 0;
  const advance = async (count = 1) => {
    done += count;
    await reportProgress(percentOf(done, currentDays.length + expiredDays.length + purged));
  };
  const shouldContinue = async () => {
    await advance(0);
    return !signal.aborted;
  };

  async function changePartition(change: () => Promise<void>): Promise<void> {
    if (isForbidden || summary.busy > 0) return;
    try {
      await change();
    } catch (error) {
      if (!isPermissionDenied(error)) throw error;
      isForbidden = true;
    } finally {
      await advance();
    }
  }

  const createPartition = (day: string): Step => ({
    name: `create partition ${day}`,
    run: async () =>
      await changePartition(async () => {
        const outcome = await partitions.create(day);
        if (outcome !== 'exists') summary[outcome] += 1;
      }),
  });

  /** A day is only dropped once its clicks are rolled up. */
  const rollUp: Step = {
    name: 'roll up clicks',
    run: async () => void (await segments.rollUp({ always: true, signal })),
  };
  const dropPartition = (day: string): Step => ({
    name: `drop partition ${day}`,
    run: async () =>
      await changePartition(async () => {
        const outcome = await partitions.drop(day, shouldContinue);
        if (outcome !== 'stopped') summary[outcome] += 1;
      }),
  });

  const preparation: Step[] = [
    // Web processes do so at midnight, if any runs.
    { name: 'delete old salts of visitor IDs', run: async () => void (await salts.deleteOld()) },
    {
      name: 'find expired partitions',
      run: async () => void (expiredDays = await partitions.expire(dayAfter(-retentionDays))),
    },
    { name: 'count purged short URLs', run: async () => void (purged = await removals.count()) },
  ];
  const deleteAnalytics: Step = {
    name: 'delete analytics of purged short URLs',
    run: async () =>
      void (await inSlices(
        async () => {
          const removed = await removals.remove(sliceSize, shouldContinue);
          summary.removed += removed;
          if (removed > 0) await advance(removed);
          return removed;
        },
        { signal },
      )),
  };
  const renumberRestored: Step = {
    name: 'renumber restored click events',
    run: async () =>
      void (await inSlices(
        async () => {
          const renumbered = await clickFeed.renumberRestored();
          summary.renumbered += renumbered;
          if (renumbered > 0) await advance(0);
          return renumbered;
        },
        { signal },
      )),
  };

  const options = { signal, probe: now };
  const failures = await runSteps(preparation, options);
  const maintenance = [
    ...currentDays.map(createPartition),
    ...(expiredDays.length > 0 ? [rollUp] : []),
    ...expiredDays.map(dropPartition),
    deleteAnalytics,
    renumberRestored,
  ];
  failures.push(...(await runSteps(maintenance, options)));
  throwFailures(failures);
  if (isForbidden) return { ...summary, status: 'the role may not change partitions' };
  const isIdle = Object.values(summary).every((count) => count === 0);
  return isIdle && !signal.aborted
    ? { ...summary, status: 'nothing to maintain' }
    : { ...summary, interrupted: signal.aborted };
}
