import { type Knex, onlyRow } from '../../storage/postgres/postgres.ts';
import { type VisitorSlices, writeDailyVisitors } from './daily-visitors.ts';
import { changing } from './lock.ts';
import { listDays, partitionOf } from './names.ts';
import { beginOf, endOf, isOn } from './utc-days.ts';

/** Rows that are moved at most while clicks of their kind wait, which takes a second or so. */
const movedRows = 100_000;
/** Rows that one statement deletes. */
const sliceSize = 20_000;

const standardSlices: VisitorSlices = { rows: 1_000_000, rowsOfOne: 5_000_000 };

/** What became of a partition that was asked for. `left`: its day has so many rows elsewhere that they stay there; `busy`:
 *  somebody held the table for too long. */
export type Made = 'made' | 'there' | 'left' | 'busy';
export type Dropped = 'dropped' | 'stopped' | 'busy';

export type AnalyticsPartitions = ReturnType<typeof createAnalyticsPartitions>;

/** The rows of the analytics by days of UTC, "2026-11-21", each in a partition of its own. Rows of a day without one are in
 *  `url_analytics_other_days`, and not worse off but for how they go in the end. Whoever counts clicks waits for seconds at most, but
 *  for one case: while the rows of a day that was `left` are there, each new partition has PostgreSQL read them all first.
 *  Everything may be run again, and beside itself. */
export const createAnalyticsPartitions = (db: Knex, slices = standardSlices) => ({
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
    await db.raw(`update analytics_state set rows_since = greatest(rows_since, ${beginOf(':day')})`, { day });
    const { rows } = await db.raw<{ rows: { day: string }[] }>(
      `select distinct to_char(at at time zone 'UTC', 'YYYY-MM-DD') as day
       from url_analytics_other_days where at < ${beginOf(':day')}`,
      { day },
    );
    const partitions = (await listDays(db)).filter((other) => other < day);
    return [...new Set([...partitions, ...rows.map((row) => row.day)])].toSorted();
  },

  /** Removes the rows of an expired day, after the visitors of each short URL are written down. Asks `goOn` after each step of
   *  seconds; "stopped" when told to, "busy" where somebody held the table for too long: then the rest is for the next time. */
  async drop(day: string, goOn: () => Promise<boolean>): Promise<Dropped> {
    // Whoever began to add rows before they expired has done so.
    const settled = await changing(db, async (trx) => {
      await trx.raw('lock table only url_analytics in share mode');
      return 'settled';
    });
    if (settled === 'busy') return 'busy';
    const written = await writeDailyVisitors(db, day, { slices, goOn });
    if (written !== 'written') return written;
    const dropped = await changing(db, async (trx) => {
      await trx.raw('drop table if exists ??', [partitionOf(day)]);
      return 'dropped' as const;
    });
    for (let deleted = sliceSize; deleted === sliceSize;) {
      deleted = await deleteElsewhere(db, day);
      if (deleted === sliceSize && !(await goOn())) return 'stopped';
    }
    return dropped;
  },
});

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
