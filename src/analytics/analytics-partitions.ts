import { type Knex, onlyRow } from '../postgres.ts';

/** Any number that nobody else locks. */
const lockNumber = 7_261_034_157;
/** How long clicks wait at most behind a change of partitions that itself waits for somebody. */
const lockTimeout = '1s';
/** Rows that are moved at most while clicks of their kind wait, which takes a second or so. */
const movedRows = 100_000;
/** Rows that one statement deletes. */
const sliceSize = 20_000;

/** What became of a partition that was asked for. `left`: its day has so many rows elsewhere that they stay there; `busy`:
 *  somebody held the table for too long. */
export type Made = 'made' | 'there' | 'left' | 'busy';

export type AnalyticsPartitions = ReturnType<typeof createAnalyticsPartitions>;

/** The rows of the analytics by days of UTC, "2026-11-21", each in a partition of its own. Rows of a day without one are in
 *  `url_analytics_other_days`, and not worse off but for how they go in the end. Whoever counts clicks waits for seconds at most;
 *  everything may be run again, and beside itself. */
export function createAnalyticsPartitions(db: Knex) {
  return {
    /** The days that have a partition, the first one first. */
    list: () => listDays(db),

    /** Sees to the partition of a day, with the rows that have come before it was there. */
    async make(day: string): Promise<Made> {
      if ((await countElsewhere(db, day)) > movedRows) return 'left';
      return await changing(db, async (trx) => {
        if ((await listDays(trx)).includes(day)) return 'there';
        // Rows that are on their way by now would be refused where they were to go before.
        await trx.raw('lock table url_analytics in share row exclusive mode');
        await trx.raw('lock table url_analytics_other_days in access exclusive mode');
        if ((await countElsewhere(trx, day)) > movedRows) return 'left';
        await trx.raw('create table ?? (like url_analytics including all)', [partitionOf(day)]);
        await trx.raw(
          `with moved as (delete from url_analytics_other_days where ${isOn('?')} returning *)
           insert into ?? select * from moved`,
          [day, day, partitionOf(day)],
        );
        const bounds = onlyRow(
          await trx.raw<{ rows: { bounds: string }[] }>(
            `select format('for values from (%L) to (%L)', ${beginOf('?')}, ${endOf('?')}) as bounds`,
            [day, day],
          ),
        ).bounds;
        await trx.raw(`alter table url_analytics attach partition ?? ${bounds}`, [partitionOf(day)]);
        return 'made';
      });
    },

    /** From now on rows before `day` are neither kept nor missed. Resolves to the days that have some. */
    async expire(day: string): Promise<string[]> {
      await db.raw(`update analytics_state set rows_since = greatest(rows_since, ${beginOf(':day')})`, {
        day,
      });
      const { rows } = await db.raw<{ rows: { day: string }[] }>(
        `select distinct to_char(at at time zone 'UTC', 'YYYY-MM-DD') as day
         from url_analytics_other_days where at < ${beginOf(':day')}`,
        { day },
      );
      const partitions = (await listDays(db)).filter((other) => other < day);
      return [...new Set([...partitions, ...rows.map((row) => row.day)])].toSorted();
    },

    /** Removes the rows of an expired day, after the visitors of each short URL are written down. False: somebody held the table for
     *  too long. */
    async drop(day: string): Promise<boolean> {
      const counted = await changing(db, async (trx) => {
        // Whoever began to add rows before they expired has done so.
        if ((await listDays(trx)).includes(day))
          await trx.raw('lock table ?? in share mode', [partitionOf(day)]);
        await trx.raw(
          `insert into url_visitors_daily (url_id, day, people, bots)
           select url_id, :day, count(distinct visitor) filter (where not is_bot), count(distinct visitor) filter (where is_bot)
           from url_analytics where ${isOn(':day')} group by url_id
           on conflict do nothing`,
          { day },
        );
      });
      if (counted === 'busy') return false;
      const dropped = await changing(
        db,
        async (trx) => await trx.raw('drop table if exists ??', [partitionOf(day)]),
      );
      for (let deleted = sliceSize; deleted === sliceSize;) deleted = await deleteElsewhere(db, day);
      return dropped !== 'busy';
    },
  };
}

const partitionOf = (day: string) => `url_analytics_${day.replaceAll('-', '')}`;
const beginOf = (day: string) => `(cast(${day} as timestamp) at time zone 'UTC')`;
const endOf = (day: string) => `((cast(${day} as timestamp) + interval '1 day') at time zone 'UTC')`;
const isOn = (day: string) => `(at >= ${beginOf(day)} and at < ${endOf(day)})`;

async function listDays(db: Knex): Promise<string[]> {
  const { rows } = await db.raw<{ rows: { day: string }[] }>(
    `select to_char(to_date(right(relname, 8), 'YYYYMMDD'), 'YYYY-MM-DD') as day
     from pg_inherits join pg_class on oid = inhrelid
     where inhparent = cast('url_analytics' as regclass) and relname ~ '^url_analytics_[0-9]{8}$'
     order by 1`,
  );
  return rows.map((row) => row.day);
}

/** Rows of a day that are in no partition of its own; one more than are moved stands for any more. */
async function countElsewhere(db: Knex, day: string): Promise<number> {
  const result = await db.raw<{ rows: { count: number }[] }>(
    `select count(*) as count from (
       select from url_analytics_other_days where ${isOn(':day')} limit :limit
     ) as found`,
    { day, limit: movedRows + 1 },
  );
  return onlyRow(result).count;
}

async function deleteElsewhere(db: Knex, day: string): Promise<number> {
  const { rowCount } = await db.raw<{ rowCount: number }>(
    `delete from url_analytics_other_days where ctid = any(array(
       select ctid from url_analytics_other_days where ${isOn(':day')} limit :limit
     ))`,
    { day, limit: sliceSize },
  );
  return rowCount;
}

/** A transaction that changes partitions, one at a time; "busy" where a lock is not to be had soon. */
async function changing<T>(db: Knex, work: (trx: Knex) => Promise<T>): Promise<T | 'busy'> {
  try {
    return await db.transaction(async (trx) => {
      await trx.raw(
        `select set_config('lock_timeout', :lockTimeout, true), pg_advisory_xact_lock(:lockNumber)`,
        { lockTimeout, lockNumber },
      );
      return await work(trx);
    });
  } catch (error) {
    const isLockTimeout = error instanceof Error && 'code' in error && error.code === '55P03';
    if (isLockTimeout) return 'busy';
    throw error;
  }
}
