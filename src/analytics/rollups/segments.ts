import { advisoryLocks } from '../../storage/postgres/advisory-locks.ts';
import { isLockTimeout } from '../../storage/postgres/errors.ts';
import { type Knex, onlyRow } from '../../storage/postgres/postgres.ts';
import { withPartitionLock } from '../partitions/partition-ddl.ts';
import { addDailyValues } from './daily-values.ts';

/** A segment is closed after this number of clicks. */
const maxClicks = 500_000;
/** A segment is closed this long after it was opened. */
const maxAge = '1 hour';
/** Clicks per statement, which takes seconds. */
const clicksPerStatement = 1_000_000;

/** Result of `rollUp`. */
export interface RollUpResult {
  segments: number;
  /** Whether another session held the locks for too long; the next call continues. */
  isBusy: boolean;
}

export type ClickSegments = ReturnType<typeof createClickSegments>;

/** Rolls up clicks by day, in segments. A click belongs to the segment that is open when it is counted. Until that is rolled up, queries
 *  read the click itself, so numbers are right at every moment. */
export const createClickSegments = (db: Knex) => ({
  /** Closes the open segment if it has clicks and is old or large, or in any case with `always`. Then rolls up all closed segments, each
   *  in one transaction, until `signal` is aborted. Safe to run concurrently, and to repeat after a crash. */
  async rollUp({
    always = false,
    signal,
  }: { always?: boolean; signal?: AbortSignal } = {}): Promise<RollUpResult> {
    for (let segments = 0; ; segments += 1) {
      if (signal?.aborted) return { segments, isBusy: false };
      // Each time, so that none becomes large while another one is rolled up.
      if (!(await closeSegment(db, always && segments === 0))) return { segments, isBusy: true };
      const outcome = await withPartitionLock(db, rollUpFirst);
      if (outcome !== 'rolled-up') return { segments, isBusy: outcome === 'busy' };
    }
  },
});

/** SQL expression that keeps the open segment open until the transaction ends, for its next statements. */
export const holdSegment = `pg_advisory_xact_lock_shared(${advisoryLocks.openSegment})`;

/** SQL condition for click events that are rolled up. */
export const isRolledUp = 'segment < (select min(segment) from analytics_segments)';

/** Opens the next segment once all transactions have ended that add to the open one. False when they take too long. */
async function closeSegment(db: Knex, always: boolean): Promise<boolean> {
  if (!(await isDue(db, always))) return true;
  try {
    await db.transaction(async (trx) => {
      await trx.raw(
        `select set_config('lock_timeout', '1s', true), pg_advisory_xact_lock(${advisoryLocks.openSegment})`,
      );
      // Another process may have closed it meanwhile.
      if (!(await isDue(trx, always))) return;
      await trx.raw(
        `insert into analytics_segments (segment, clicks_before)
         select max(segment) + 1, ${countedClicks} from analytics_segments`,
      );
    });
    return true;
  } catch (error) {
    if (isLockTimeout(error)) return false;
    throw error;
  }
}

/** SQL for the clicks in the ledger, also those of removed producers. */
const countedClicks = `((select cast(coalesce(sum(clicks), 0) as bigint) from click_producers)
  + (select removed_clicks from click_ledger_totals))`;

async function isDue(db: Knex, always: boolean): Promise<boolean> {
  const result = await db.raw<{ rows: { is_due: boolean }[] }>(
    `select first_at < 'infinity' and (:always or opened_at < now() - interval '${maxAge}'
       or ${countedClicks} - clicks_before >= :maxClicks) as is_due
     from analytics_segments order by segment desc limit 1`,
    { always, maxClicks },
  );
  return onlyRow(result).is_due;
}

/** Rolls up the first closed segment. */
async function rollUpFirst(trx: Knex): Promise<'rolled-up' | 'none'> {
  const { rows } = await trx.raw<{ rows: { segment: number; firstAt: string }[] }>(
    `select segment, cast(first_at as text) as "firstAt", set_config('random_page_cost', '1.1', true)
     from analytics_segments where segment < (select max(segment) from analytics_segments) order by segment limit 1`,
  );
  if (rows[0] === undefined) return 'none';
  const { segment, firstAt } = rows[0];
  const isEvent = 'segment = :segment and at >= cast(:firstAt as timestamptz)';
  const counted = await trx.raw<{ rows: { count: number }[] }>(
    `select (select count(*) from url_analytics where ${isEvent})
       + (select count(*) from url_pending_clicks where segment = :segment) as count`,
    { segment, firstAt },
  );
  const parts = Math.max(Math.ceil(onlyRow(counted).count / clicksPerStatement), 1);
  for (let part = 0; part < parts; part += 1)
    await addDailyValues(trx, (column) => ({
      sql: `select url_id, cast(at at time zone 'UTC' as date) as day, clicks, is_bot, ${column} as value
            from url_analytics where ${isEvent} and url_id % :parts = :part
            union all
            select url_id, day, clicks, is_bot, ${column} from url_pending_clicks
            where segment = :segment and url_id % :parts = :part`,
      bindings: { segment, firstAt, parts, part },
    }));
  await trx.raw('delete from url_pending_clicks where segment = :segment', { segment });
  await trx.raw('delete from analytics_segments where segment = :segment', { segment });
  return 'rolled-up';
}
