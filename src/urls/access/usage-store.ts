import type { Knex } from '../../storage/postgres/postgres.ts';

export type UsageStore = ReturnType<typeof createUsageStore>;

/** SQL for the click limit of a row of `urls u`; null without a limit. */
const limitOf = 'case when u.is_one_time then 1 else u.max_clicks end';

/** Counts the uses of short URLs with a click limit. */
export function createUsageStore(db: Knex) {
  return {
    /** Claims uses of each short URL up to its current limit; resolves to the number granted, in order. One statement
     *  decides, so concurrent callers never exceed a limit. Ids must be distinct; a missing short URL grants nothing. */
    async claim(claims: { urlId: number; count: number }[]): Promise<number[]> {
      const { rows } = await db.raw<{ rows: { urlId: number; granted: number }[] }>(
        `with claim as materialized (
           select u.id, claim.count, coalesce(${limitOf}, 9223372036854775807) as uses
           from unnest(cast(:urlIds as bigint[]), cast(:counts as bigint[])) as claim (url_id, count)
             join urls u on u.id = claim.url_id
         )
         insert into url_uses as usage (url_id, used, granted)
         -- Ordered, so that concurrent statements do not deadlock.
         select id, least(count, uses), least(count, uses) from claim order by id
         on conflict (url_id) do update set (used, granted) = (
           select usage.used + least(count, uses - usage.used), least(count, uses - usage.used)
           from claim where id = usage.url_id
         )
         where usage.used < (select uses from claim where id = usage.url_id)
         returning url_id as "urlId", granted`,
        { urlIds: claims.map(({ urlId }) => urlId), counts: claims.map(({ count }) => count) },
      );
      const granted = new Map(rows.map((row) => [row.urlId, row.granted]));
      return claims.map(({ urlId }) => granted.get(urlId) ?? 0);
    },

    /** Whether a short URL has uses left. */
    async hasUsesLeft(urlId: number): Promise<boolean> {
      const { rows } = await db.raw<{ rows: unknown[] }>(
        `select from urls u join url_uses usage on usage.url_id = u.id
         where u.id = :urlId and usage.used >= ${limitOf}`,
        { urlId },
      );
      return rows.length === 0;
    },
  };
}
