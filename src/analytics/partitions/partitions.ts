import { type Knex, onlyRow } from '../../storage/postgres/postgres.ts';
import { type VisitorSlices, writeDailyVisitors } from './daily-visitors.ts';
import { listPartitionDays, partitionName, withPartitionLock } from './partition-ddl.ts';
import { startOfDay, endOfDay, isOnDay } from './utc-days.ts';

/** Maximum rows to move into a new partition; clicks of that day wait about one second for it. */
const maxMovedRows = 100_000;
/** Rows per delete statement. */
const sliceSize = 20_000;

const standardSlices: VisitorSlices = { rows: 1_000_000, rowsPerUrl: 5_000_000 };

/** Result of `create`. `skipped`: the day has too many rows in `url_analytics_other_days`, so they stay there.
 *  `busy`: another session held the table for too long. */
export type CreateResult = 'created' | 'exists' | 'skipped' | 'busy';
export type DropResult = 'dropped' | 'stopped' | 'busy';

export type AnalyticsPartitions = ReturnType<typeof createAnalyticsPartitions>;

/** Manages the partitions of `url_analytics`, one per UTC day ("2026-11-21"). Rows of a day without a partition are
 *  in `url_analytics_other_days`, which only makes dropping them slower. Counting clicks waits for seconds at most,
 *  with one exception: while a `skipped` day has rows there, PostgreSQL scans them for each new partition. All
 *  methods are idempotent and safe to run concurrently. */
export const createAnalyticsPartitions = (db: Knex, slices = standardSlices) => ({
  /** Creates the partition of a day and moves existing rows into it. */
  async create(day: string): Promise<CreateResult> {
    if ((await countOtherRows(db, day)) > maxMovedRows) return 'skipped';
    return await withPartitionLock(db, async (trx) => {
      if ((await listPartitionDays(trx)).includes(day)) return 'exists';
      // Before the list of partitions is read: a query with the old list would not see the moved rows, and PostgreSQL would reject an insert.
      await trx.raw('lock table url_analytics in access exclusive mode');
      if ((await countOtherRows(trx, day)) > maxMovedRows) return 'skipped';
      await trx.raw('create table ?? (like url_analytics including all)', [partitionName(day)]);
      await trx.raw(
        `with moved as (delete from url_analytics_other_days where ${isOnDay('?')} returning *)
         insert into ?? select * from moved`,
        [day, day, partitionName(day)],
      );
      const bounds = onlyRow(
        await trx.raw<{ rows: { bounds: string }[] }>(
          `select format('for values from (%L) to (%L)', ${startOfDay('?')}, ${endOfDay('?')}) as bounds`,
          [day, day],
        ),
      ).bounds;
      await trx.raw(`alter table url_analytics attach partition ?? ${bounds}`, [partitionName(day)]);
      return 'created';
    });
  },

  /** Ends the retention of rows before `day`. Resolves to the days that still have rows. */
  async expire(day: string): Promise<string[]> {
    await db.raw(`update analytics_state set events_since = greatest(events_since, ${startOfDay(':day')})`, {
      day,
    });
    const { rows } = await db.raw<{ rows: { day: string }[] }>(
      `select distinct to_char(at at time zone 'UTC', 'YYYY-MM-DD') as day
       from url_analytics_other_days where at < ${startOfDay(':day')}`,
      { day },
    );
    const partitions = (await listPartitionDays(db)).filter((other) => other < day);
    return [...new Set([...partitions, ...rows.map((row) => row.day)])].toSorted();
  },

  /** Drops the rows of an expired day, after storing the daily visitors of each short URL. Calls `shouldContinue`
   *  after each step of seconds. Resolves to "stopped" when it returns false, and to "busy" when another session held
   *  the table for too long, or rows are not rolled up yet; the next call continues. */
  async drop(day: string, shouldContinue: () => Promise<boolean>): Promise<DropResult> {
    // Wait for transactions that began to add rows before they expired.
    const settled = await withPartitionLock(db, async (trx) => {
      await trx.raw('lock table only url_analytics in share mode');
      return (await isRolledUp(trx, day)) ? 'settled' : 'busy';
    });
    if (settled === 'busy') return 'busy';
    const written = await writeDailyVisitors(db, day, { slices, shouldContinue });
    if (written !== 'written') return written;
    const dropped = await withPartitionLock(db, async (trx) => {
      await trx.raw('drop table if exists ??', [partitionName(day)]);
      return 'dropped' as const;
    });
    for (let deleted = sliceSize; deleted === sliceSize;) {
      deleted = await deleteOtherRows(db, day);
      if (deleted === sliceSize && !(await shouldContinue())) return 'stopped';
    }
    return dropped;
  },
});

/** Whether the roll-ups by day contain all rows of a day. */
async function isRolledUp(db: Knex, day: string): Promise<boolean> {
  const result = await db.raw<{ rows: { is_pending: boolean }[] }>(
    `select exists (select from analytics_segments where first_at < ${endOfDay(':day')}) as is_pending`,
    { day },
  );
  return !onlyRow(result).is_pending;
}

/** Counts rows of a day outside its own partition, up to one more than `movedRows`. */
async function countOtherRows(db: Knex, day: string): Promise<number> {
  const result = await db.raw<{ rows: { count: number }[] }>(
    `select count(*) as count from (
       select from url_analytics_other_days where ${isOnDay(':day')} limit :limit
     ) as found`,
    { day, limit: maxMovedRows + 1 },
  );
  return onlyRow(result).count;
}

async function deleteOtherRows(db: Knex, day: string): Promise<number> {
  const { rowCount } = await db.raw<{ rowCount: number }>(
    `delete from url_analytics_other_days where ctid = any(array(
       select ctid from url_analytics_other_days where ${isOnDay(':day')} limit :limit
     ))`,
    { day, limit: sliceSize },
  );
  return rowCount;
}
