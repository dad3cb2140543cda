import type { Knex } from '../../storage/postgres/postgres.ts';

export type UsageStore = ReturnType<typeof createUsageStore>;

/** How often a row of `urls u` may be used; null where that is without limit. */
const limitOf = 'case when u.is_one_time then 1 else u.max_clicks end';

/** How often limited short URLs were used. */
export function createUsageStore(db: Knex) {
  return {
    /** Takes so many uses of each short URL as are wanted and left, by the limits as they are now; resolves to how many were
     *  granted, in their order. One statement decides, so that callers at the same time never get more than there are. Ids must
     *  be distinct; what is not there any more grants nothing. */
    async take(wishes: { urlId: number; wanted: number }[]): Promise<number[]> {
      const { rows } = await db.raw<{ rows: { urlId: number; granted: number }[] }>(
        `with wish as materialized (
           select u.id, wish.wanted, coalesce(${limitOf}, 9223372036854775807) as uses
           from unnest(cast(:urlIds as bigint[]), cast(:wanted as bigint[])) as wish (url_id, wanted)
             join urls u on u.id = wish.url_id
         )
         insert into url_uses as known (url_id, used, granted)
         -- In one order, so that two that use the same short URLs do not deadlock.
         select id, least(wanted, uses), least(wanted, uses) from wish order by id
         on conflict (url_id) do update set (used, granted) = (
           select known.used + least(wanted, uses - known.used), least(wanted, uses - known.used)
           from wish where id = known.url_id
         )
         where known.used < (select uses from wish where id = known.url_id)
         returning url_id as "urlId", granted`,
        { urlIds: wishes.map(({ urlId }) => urlId), wanted: wishes.map(({ wanted }) => wanted) },
      );
      const granted = new Map(rows.map((row) => [row.urlId, row.granted]));
      return wishes.map(({ urlId }) => granted.get(urlId) ?? 0);
    },

    /** Whether a short URL can be used once more. */
    async isLeft(urlId: number): Promise<boolean> {
      const { rows } = await db.raw<{ rows: unknown[] }>(
        `select from urls u join url_uses used on used.url_id = u.id
         where u.id = :urlId and used.used >= ${limitOf}`,
        { urlId },
      );
      return rows.length === 0;
    },
  };
}
