import type { AnalyticsPartitions } from '../src/analytics/analytics-partitions.ts';
import type { AnalyticsRemovals } from '../src/analytics/analytics-removals.ts';
import type { VisitorSaltStore } from '../src/clicks/details/visitor-salt-store.ts';
import { type JobContext, percentOf } from './processor.ts';

const dayMs = 86_400_000;
/** Partitions that are there before their day begins: a week without this job goes unnoticed. */
const daysAhead = 7;
/** Short URLs per transaction. */
const sliceSize = 100;

/** Removes old salts of visitor ids, makes partitions for the days to come, removes what the analytics have of short URLs that are
 *  gone, and drops the rows of days past their retention once their visitors are counted. Where somebody holds the tables for
 *  long it does not ask again and again, while clicks wait behind it: it is `busy`, and what is to be done waits for the next
 *  time. */
export async function maintainAnalytics(
  deps: {
    salts: Pick<VisitorSaltStore, 'forget'>;
    partitions: AnalyticsPartitions;
    removals: AnalyticsRemovals;
    now: () => Promise<Date>;
  },
  retentionDays: number,
  { reportProgress, signal }: JobContext,
) {
  const { partitions, removals } = deps;
  const todayMs = (await deps.now()).getTime();
  const dayAfter = (days: number) => new Date(todayMs + days * dayMs).toISOString().slice(0, 10);
  const summary = { made: 0, left: 0, removed: 0, dropped: 0, busy: 0 };

  // Web processes do so at midnight, where there are any.
  await deps.salts.forget();
  const expired = await partitions.expire(dayAfter(-retentionDays));
  // Yesterday's clicks may still be on their way.
  const wanted = Array.from({ length: daysAhead + 2 }, (_, i) => dayAfter(i - 1)).filter(
    (day) => day >= dayAfter(-retentionDays),
  );
  const total = wanted.length + (await removals.count()) + expired.length;
  let done = 0;
  const advance = async (count = 1) => await reportProgress(percentOf((done += count), total));

  for (const day of wanted) {
    if (signal.aborted || summary.busy > 0) break;
    const made = await partitions.make(day);
    if (made !== 'there') summary[made] += 1;
    await advance();
  }
  for (let more = true; more && !signal.aborted;) {
    const removed = await removals.remove(sliceSize);
    summary.removed += removed;
    more = removed > 0;
    if (more) await advance(removed);
  }
  for (const day of expired) {
    if (signal.aborted || summary.busy > 0) break;
    summary[(await partitions.drop(day)) ? 'dropped' : 'busy'] += 1;
    await advance();
  }
  const isIdle = Object.values(summary).every((count) => count === 0);
  return isIdle ? { ...summary, status: 'nothing to maintain' } : { ...summary, interrupted: signal.aborted };
}
