import type { ClickFeedStore } from '../../src/analytics/feed/feed-store.ts';
import type { AnalyticsPartitions } from '../../src/analytics/partitions/partitions.ts';
import type { AnalyticsRemovals } from '../../src/analytics/rollups/purge.ts';
import type { VisitorSaltStore } from '../../src/clicks/enrichment/visitor-salt-store.ts';
import { sqlStateOf } from '../../src/storage/postgres/errors.ts';
import { type JobContext, percentOf } from './job-context.ts';

const dayMs = 86_400_000;
/** Partitions that are there before their day begins: a week without this job goes unnoticed. */
const daysAhead = 7;
/** Short URLs per transaction. */
const sliceSize = 100;

/** Removes old salts of visitor ids, makes partitions for the days to come, drops the rows of days past their retention once
 *  their visitors are counted, removes what the analytics have of short URLs that are gone, and renumbers rows that a dump has
 *  brought. Where somebody holds the tables for long it does not ask again and again, while clicks wait behind it: it is
 *  `busy`, and what is to be done waits for the next time. What fails keeps nothing else from being done; then it throws, in
 *  the end, what went wrong. */
export async function maintainAnalytics(
  deps: {
    salts: Pick<VisitorSaltStore, 'forget'>;
    partitions: AnalyticsPartitions;
    removals: AnalyticsRemovals;
    clickFeed: Pick<ClickFeedStore, 'renumberRestored'>;
    now: () => Promise<Date>;
  },
  retentionDays: number,
  { reportProgress, signal }: JobContext,
) {
  const { partitions, removals, clickFeed } = deps;
  const todayMs = (await deps.now()).getTime();
  const dayAfter = (days: number) => new Date(todayMs + days * dayMs).toISOString().slice(0, 10);
  const summary = { made: 0, left: 0, removed: 0, dropped: 0, renumbered: 0, busy: 0 };
  const failures = createFailures(deps.now);
  /** The role may neither make nor drop partitions: a condition of the worker says so, and each hour is not a failure. */
  let isForbidden = false;
  const change = async <T>(step: () => Promise<T>): Promise<T | undefined> =>
    await failures.collect(async () => {
      try {
        return await step();
      } catch (error) {
        if (sqlStateOf(error) !== '42501') throw error;
        isForbidden = true;
        return undefined;
      }
    });

  // Web processes do so at midnight, where there are any.
  await failures.collect(async () => await deps.salts.forget());
  const expired =
    (await failures.collect(async () => await partitions.expire(dayAfter(-retentionDays)))) ?? [];
  // Yesterday's clicks may still be on their way.
  const wanted = Array.from({ length: daysAhead + 2 }, (_, i) => dayAfter(i - 1)).filter(
    (day) => day >= dayAfter(-retentionDays),
  );
  const total = wanted.length + expired.length + ((await failures.collect(removals.count)) ?? 0);
  let done = 0;
  const advance = async (count = 1) => await reportProgress(percentOf((done += count), total));
  const goOn = async () => {
    await advance(0);
    return !signal.aborted;
  };

  for (const day of wanted) {
    if (signal.aborted || isForbidden || summary.busy > 0) break;
    const made = await change(async () => await partitions.make(day));
    if (made && made !== 'there') summary[made] += 1;
    await advance();
  }
  for (const day of expired) {
    if (signal.aborted || isForbidden || summary.busy > 0) break;
    const dropped = await change(async () => await partitions.drop(day, goOn));
    if (dropped && dropped !== 'stopped') summary[dropped] += 1;
    await advance();
  }
  for (let more = true; more && !signal.aborted;) {
    const removed = (await failures.collect(async () => await removals.remove(sliceSize, goOn))) ?? 0;
    summary.removed += removed;
    more = removed > 0;
    if (more) await advance(removed);
  }
  for (let more = true; more && !signal.aborted;) {
    const renumbered = (await failures.collect(clickFeed.renumberRestored)) ?? 0;
    summary.renumbered += renumbered;
    more = renumbered > 0;
    if (more) await advance(0);
  }
  failures.throwFirst();
  if (isForbidden) return { ...summary, status: 'the role may not change partitions' };
  const isIdle = Object.values(summary).every((count) => count === 0);
  return isIdle && !signal.aborted
    ? { ...summary, status: 'nothing to maintain' }
    : { ...summary, interrupted: signal.aborted };
}

/** Lets steps go wrong one by one, as long as `probe` does not: without PostgreSQL each of them would wait in vain. */
function createFailures(probe: () => Promise<unknown>) {
  const failures: Error[] = [];
  return {
    /** What a step gives, or undefined where it fails. */
    async collect<T>(step: () => Promise<T>): Promise<T | undefined> {
      try {
        return await step();
      } catch (error) {
        failures.push(error instanceof Error ? error : new Error('a step failed', { cause: error }));
        await probe();
        return undefined;
      }
    },

    /** Throws the first of them, which says how many there were. */
    throwFirst(): void {
      const [first] = failures;
      if (first === undefined) return;
      throw new Error(`${failures.length} of its steps failed, the first one: ${first.message}`, {
        cause: first,
      });
    },
  };
}
