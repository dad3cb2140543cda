import { addToBooks } from '../clicks/ledger-store.ts';
import { boundedTransaction, type Knex, onlyRow } from '../postgres.ts';
import type { Owner } from '../urls/owner.ts';
import { findUrls } from './analytics-sources.ts';

export const totalsChoices = ['keep', 'clear'] as const;

/** Clicks whose rows one transaction removes, while nobody can count further ones on the same short URL; an hour's at least. */
const sliceClicks = 20_000;

export type ClickRemoval = ReturnType<typeof createClickRemoval>;

/** Forgetting who clicked, and when. */
export function createClickRemoval(db: Knex) {
  return {
    /** Removes rows and roll-ups of an owner's short URL, and with `clear` its clicks are 0, too, which the books then have as purged.
     *  Every figure adds up at every moment; broken off, it can be run again. Throws UrlNotFound. */
    async forget(shortCode: string, owner: Owner, totals: (typeof totalsChoices)[number]): Promise<void> {
      const { urlId } = (await findUrls(db, { shortCode, owner })).bindings as { urlId: number };
      while (await removeSlice(db, urlId)) continue;
      await boundedTransaction(db, async (trx) => {
        const clicks = await lockCounter(trx, urlId);
        for (const table of ['url_analytics', 'url_clicks_hourly', 'url_clicks_daily', 'url_visitors_daily'])
          await trx.raw(`delete from ${table} where url_id = :urlId`, { urlId });
        await trx.raw('update url_stats set analytics_clicks = 0 where url_id = :urlId', { urlId });
        if (totals === 'keep') return;
        await trx.raw('update url_stats set click_count = 0, last_accessed_at = null where url_id = :urlId', {
          urlId,
        });
        await addToBooks(trx, { purged: clicks, late: 0 });
      });
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

/** Removes the rows of some hours, of which these say so. False, with nothing done: there is no more than one step's left, to which
 *  others may be adding. */
async function removeSlice(db: Knex, urlId: number): Promise<boolean> {
  return await boundedTransaction(db, async (trx) => {
    await lockCounter(trx, urlId);
    const { from, last, hasMore } = onlyRow(
      await trx.raw<{ rows: { from: Date; last: Date; hasMore: boolean | null }[] }>(
        `select min(hour) as "from", max(hour) filter (where before < :sliceClicks) as last,
                sum(row_clicks) > :sliceClicks as "hasMore"
         from (select hour, row_clicks, sum(row_clicks) over (order by hour) - row_clicks as before
               from url_clicks_hourly where url_id = :urlId and row_clicks > 0) as hour`,
        { urlId, sliceClicks },
      ),
    );
    if (!hasMore) return false;
    await trx.raw(
      `delete from url_analytics
       where url_id = :urlId and at >= :from and at < cast(:last as timestamptz) + interval '1 hour'`,
      { urlId, from, last },
    );
    await trx.raw(
      `update url_clicks_hourly set row_clicks = 0 where url_id = :urlId and hour between :from and :last`,
      { urlId, from, last },
    );
    return true;
  });
}
