import { addToTotals } from '../../clicks/ledger/ledger-store.ts';
import { boundedTransaction, type Knex, onlyRow } from '../../storage/postgres/postgres.ts';
import { rethrowTimeout } from '../../storage/postgres/statement-timeout.ts';
import type { Owner } from '../../urls/store/owner.ts';
import { blockPartitionChanges } from '../partitions/partition-ddl.ts';
import { startOfDay } from '../partitions/utc-days.ts';
import { deleteRollups } from './delete-rollups.ts';
import { clicksOfHour, findUrls } from './scope.ts';
import { isRolledUp } from './segments.ts';

declare module 'knex/types/tables.js' {
  interface Tables {
    url_stats: {
      url_id: number;
      click_count: number;
      last_accessed_at: Date | null;
      analytics_clicks: number;
    };
  }
}

export const totalsOptions = ['keep', 'clear'] as const;

/** Work per transaction, less than a second: counting clicks on the same short URL waits for it. */
const standardSteps = { rows: 20_000, days: 30 };

export type ClickEraser = ReturnType<typeof createClickEraser>;

/** Erases the clicks of a short URL. */
export function createClickEraser(db: Knex, steps = standardSteps) {
  return {
    /** Deletes the click events and roll-ups of an owner's short URL. With `clear` its click count becomes 0 too, and
     *  the audit counts these clicks as purged. All totals stay consistent at each moment; an interrupted call can be
     *  repeated. Throws UrlNotFound, and StatementTimeout when other sessions hold the rows. */
    async erase(shortCode: string, owner: Owner, totals: (typeof totalsOptions)[number]): Promise<void> {
      const { urlId } = (await findUrls(db, { shortCode, owner })).bindings as { urlId: number };
      try {
        // The few clicks that are added meanwhile are removed with the rest.
        let removed = 1;
        for (let left = await countEvents(db, urlId); left > 0 && removed > 0; left -= removed)
          removed = await deleteEvents(db, urlId, steps.rows);
        for (let day = await findFirstDay(db, urlId); day; day = await deleteDays(db, urlId, day, steps.days))
          continue;
        await deleteRest(db, urlId, totals);
      } catch (error) {
        rethrowTimeout(error, 'Deletion timed out; partial progress is kept. Retry to continue.');
      }
    },
  };
}

/** Locks the counter of the short URL until the transaction ends; resolves to its clicks. */
async function lockCounter(trx: Knex, urlId: number): Promise<number> {
  const row = await trx('url_stats').where({ url_id: urlId }).forUpdate().first('click_count');
  return row?.click_count ?? 0;
}

async function countEvents(db: Knex, urlId: number): Promise<number> {
  const sql = 'select count(*) as count from url_analytics where url_id = :urlId';
  return onlyRow(await db.raw<{ rows: { count: number }[] }>(sql, { urlId })).count;
}

/** Deletes up to `limit` click events of one partition, and updates their hours; resolves to their number. Only rolled up events: the
 *  values by day would change with others. */
async function deleteEvents(db: Knex, urlId: number, limit: number): Promise<number> {
  return await boundedTransaction(db, async (trx) => {
    await blockPartitionChanges(trx);
    await lockCounter(trx, urlId);
    const { rows: partitions } = await trx.raw<{ rows: { partition: string }[] }>(
      `select relname as partition from url_analytics a join pg_class c on c.oid = a.tableoid
       where url_id = :urlId and ${isRolledUp} limit 1`,
      { urlId },
    );
    const partition = partitions[0]?.partition;
    if (partition === undefined) return 0;
    const result = await trx.raw<{ rows: { count: number }[] }>(
      `with removed as (
         delete from ?? where ctid = any(array(select ctid from ?? where url_id = ? and ${isRolledUp} limit ?)) returning at, clicks
       ), of_hour as (
         select date_trunc('hour', at, 'UTC') as hour, sum(clicks) as clicks from removed group by 1
       ), noted as (
         update url_clicks_hourly h set event_clicks = h.event_clicks - of_hour.clicks
         from of_hour where h.url_id = ? and h.hour = of_hour.hour
       )
       select count(*) as count from removed`,
      [partition, partition, urlId, limit, urlId],
    );
    return onlyRow(result).count;
  });
}

/** Returns the first UTC day with clicks, from `from` on; undefined if there is none. */
async function findFirstDay(db: Knex, urlId: number, from = '-infinity'): Promise<string | undefined> {
  const { rows } = await db.raw<{ rows: { day: string | null }[] }>(
    `select to_char(min(day), 'YYYY-MM-DD') as day from url_clicks_daily
     where url_id = :urlId and dimension = 'country' and day >= :from`,
    { urlId, from },
  );
  return rows[0]?.day ?? undefined;
}

/** Deletes all analytics of `limit` days and updates the counter; resolves to the next day with clicks. */
async function deleteDays(db: Knex, urlId: number, day: string, limit: number): Promise<string | undefined> {
  const { end } = onlyRow(
    await db.raw<{ rows: { end: string }[] }>(
      `select to_char(cast(:day as date) + cast(:limit as integer), 'YYYY-MM-DD') as "end"`,
      { day, limit },
    ),
  );
  const next = await findFirstDay(db, urlId, end);
  if (next === undefined) return undefined;
  const days = { urlId, day, end };
  await boundedTransaction(db, async (trx) => {
    await blockPartitionChanges(trx);
    await lockCounter(trx, urlId);
    await trx.raw(
      `with removed as (
         delete from url_clicks_hourly where url_id = :urlId and hour >= ${startOfDay(':day')} and hour < ${startOfDay(':end')}
         returning ${clicksOfHour} as clicks
       )
       update url_stats set analytics_clicks = analytics_clicks - (select coalesce(sum(clicks), 0) from removed)
       where url_id = :urlId`,
      days,
    );
    await trx.raw(
      `delete from url_analytics where url_id = :urlId and at >= ${startOfDay(':day')} and at < ${startOfDay(':end')}`,
      days,
    );
    for (const table of ['url_clicks_daily', 'url_pending_clicks', 'url_bots_daily', 'url_visitors_daily'])
      await trx.raw(`delete from ${table} where url_id = :urlId and day >= :day and day < :end`, days);
  });
  return next;
}

async function deleteRest(db: Knex, urlId: number, totals: (typeof totalsOptions)[number]): Promise<void> {
  await boundedTransaction(db, async (trx) => {
    await blockPartitionChanges(trx);
    const clicks = await lockCounter(trx, urlId);
    await deleteRollups(trx, [urlId]);
    if (totals === 'keep') return;
    await trx('url_stats').where({ url_id: urlId }).update({ click_count: 0, last_accessed_at: null });
    await addToTotals(trx, { purged: clicks, late: 0 });
  });
}
