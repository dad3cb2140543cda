import type { Knex } from '../../storage/postgres/postgres.ts';

export type UsageStore = ReturnType<typeof createUsageStore>;

/** SQL for the click limit of a row of `urls u`; null without a limit. */
const limitOf = 'case when u.is_one_time then 1 else u.max_clicks end';

/** Counts the visits of short URLs with a click limit. */
export function createUsageStore(db: Knex) {
  return {
    /** Claims clicks of each short URL up to its current limit; resolves to the number claimed, in order. One statement
     *  decides, so concurrent callers never exceed a limit. Ids must be distinct; a missing short URL has no clicks to claim. */
    async claim(claims: { urlId: number; count: number }[]): Promise<number[]> {
      const { rows } = await db.raw<{ rows: { urlId: number; claimed: number }[] }>(
        `with claim as materialized (
           select u.id, claim.count, coalesce(${limitOf}, 9223372036854775807) as max_clicks
           from unnest(cast(:urlIds as bigint[]), cast(:counts as bigint[])) as claim (url_id, count)
             join urls u on u.id = claim.url_id
         )
         insert into url_usage as usage (url_id, clicks, claimed)
         -- Ordered, so that concurrent statements do not deadlock.
         select id, least(count, max_clicks), least(count, max_clicks) from claim order by id
         on conflict (url_id) do update set (clicks, claimed) = (
           select usage.clicks + least(count, max_clicks - usage.clicks), least(count, max_clicks - usage.clicks)
           from claim where id = usage.url_id
         )
         where usage.clicks < (select max_clicks from claim where id = usage.url_id)
         returning url_id as "urlId", claimed`,
        { urlIds: claims.map(({ urlId }) => urlId), counts: claims.map(({ count }) => count) },
      );
      const claimed = new Map(rows.map((row) => [row.urlId, row.claimed]));
      return claims.map(({ urlId }) => claimed.get(urlId) ?? 0);
    },

    /** Whether a short URL has not reached its click limit. */
    async hasClicksLeft(urlId: number): Promise<boolean> {
      const { rows } = await db.raw<{ rows: unknown[] }>(
        `select from urls u join url_usage usage on usage.url_id = u.id
         where u.id = :urlId and usage.clicks >= ${limitOf}`,
        { urlId },
      );
      return rows.length === 0;
    },
  };
}
