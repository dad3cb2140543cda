import { addToTotals } from '../../clicks/ledger/ledger-store.ts';
import { boundedTransaction, type Knex, onlyRow } from '../../storage/postgres/postgres.ts';
import { rethrowTimeout } from '../../storage/postgres/statement-timeout.ts';
import type { Owner } from '../../urls/store/owner.ts';
import { beginOf } from '../partitions/utc-days.ts';
import { deleteRollups } from './delete-rollups.ts';
import { clicksOfHour, findUrls } from './scope.ts';

export const totalsChoices = ['keep', 'clear'] as const;

/** What one transaction removes, while nobody can count further clicks on the same short URL: less than a second's work. */
const standardSteps = { rows: 20_000, days: 30 };

export type ClickRemoval = ReturnType<typeof createClickRemoval>;

/** Forgetting who clicked, and when. */
export function createClickRemoval(db: Knex, steps = standardSteps) {
  return {
    /** Removes rows and roll-ups of an owner's short URL, and with `clear` its clicks are 0, too, which the books then have as purged.
     *  Every figure adds up at every moment; broken off, it can be run again. Throws UrlNotFound, and StatementTimeout where others hold
     *  what is to go. */
    async forget(shortCode: string, owner: Owner, totals: (typeof totalsChoices)[number]): Promise<void> {
      const { urlId } = (await findUrls(db, { shortCode, owner })).bindings as { urlId: number };
      try {
        // What others add meanwhile is little, and goes with the rest.
        let removed = 1;
        for (let left = await countRows(db, urlId); left > 0 && removed > 0; left -= removed)
          removed = await removeRows(db, urlId, steps.rows);
        for (let day = await findFirstDay(db, urlId); day; day = await removeDays(db, urlId, day, steps.days))
          continue;
        await removeRest(db, urlId, totals);
      } catch (error) {
        rethrowTimeout(
          error,
          'Forgetting took too long. What is forgotten stays so: ask again for the rest.',
        );
      }
    },
  };
}

/** Its clicks; nobody adds to them until the transaction ends. */
async function lockCounter(trx: Knex, urlId: number): Promise<number> {
  const { rows } = await trx.raw<{ rows: { clicks: number }[] }>(
    'select click_count as clicks from url_stats where url_id = :urlId for update',
    { urlId },
  );
  return rows[0]?.clicks ?? 0;
}

async function countRows(db: Knex, urlId: number): Promise<number> {
  const sql = 'select count(*) as count from url_analytics where url_id = :urlId';
  return onlyRow(await db.raw<{ rows: { count: number }[] }>(sql, { urlId })).count;
}

/** Removes up to `limit` rows of a partition, of which their hours say so; resolves to how many there were. */
async function removeRows(db: Knex, urlId: number, limit: number): Promise<number> {
  return await boundedTransaction(db, async (trx) => {
    await lockCounter(trx, urlId);
    const { rows: found } = await trx.raw<{ rows: { partition: string }[] }>(
      `select relname as partition from url_analytics a join pg_class c on c.oid = a.tableoid where url_id = :urlId limit 1`,
      { urlId },
    );
    const partition = found[0]?.partition;
    if (partition === undefined) return 0;
    const result = await trx.raw<{ rows: { count: number }[] }>(
      `with removed as (
         delete from ?? where ctid = any(array(select ctid from ?? where url_id = ? limit ?)) returning at, clicks
       ), of_hour as (
         select date_trunc('hour', at, 'UTC') as hour, sum(clicks) as clicks from removed group by 1
       ), noted as (
         update url_clicks_hourly h set row_clicks = h.row_clicks - of_hour.clicks
         from of_hour where h.url_id = ? and h.hour = of_hour.hour
       )
       select count(*) as count from removed`,
      [partition, partition, urlId, limit, urlId],
    );
    return onlyRow(result).count;
  });
}

/** The first day of UTC, at `from` or later, that has clicks; undefined if none has. */
async function findFirstDay(db: Knex, urlId: number, from = '-infinity'): Promise<string | undefined> {
  const { rows } = await db.raw<{ rows: { day: string | null }[] }>(
    `select to_char(min(day), 'YYYY-MM-DD') as day from url_clicks_daily
     where url_id = :urlId and dimension = 'country' and day >= :from`,
    { urlId, from },
  );
  return rows[0]?.day ?? undefined;
}

/** Removes all figures of `limit` days, of which the counter says so; resolves to the first one behind that has any. */
async function removeDays(db: Knex, urlId: number, day: string, limit: number): Promise<string | undefined> {
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
    await lockCounter(trx, urlId);
    await trx.raw(
      `with removed as (
         delete from url_clicks_hourly where url_id = :urlId and hour >= ${beginOf(':day')} and hour < ${beginOf(':end')}
         returning ${clicksOfHour} as clicks
       )
       update url_stats set analytics_clicks = analytics_clicks - (select coalesce(sum(clicks), 0) from removed)
       where url_id = :urlId`,
      days,
    );
    await trx.raw(
      `delete from url_analytics where url_id = :urlId and at >= ${beginOf(':day')} and at < ${beginOf(':end')}`,
      days,
    );
    for (const table of ['url_clicks_daily', 'url_bots_daily', 'url_visitors_daily'])
      await trx.raw(`delete from ${table} where url_id = :urlId and day >= :day and day < :end`, days);
  });
  return next;
}

async function removeRest(db: Knex, urlId: number, totals: (typeof totalsChoices)[number]): Promise<void> {
  await boundedTransaction(db, async (trx) => {
    const clicks = await lockCounter(trx, urlId);
    await deleteRollups(trx, [urlId]);
    if (totals === 'keep') return;
    await trx.raw('update url_stats set click_count = 0, last_accessed_at = null where url_id = :urlId', {
      urlId,
    });
    await addToTotals(trx, { purged: clicks, late: 0 });
  });
}
