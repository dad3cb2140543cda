import type { Knex } from '../../storage/postgres/postgres.ts';

/** Owner of all short URLs in the tables of kept lists; others are API keys. */
export const everyone = 0;

/** Lists of at most this many short URLs are counted and sorted when they are read, which takes less than 300 ms. */
export const keptAbove = 100_000;

/** Returns the owners of more than `limit` short URLs, `everyone` first. Deleted short URLs count. Of each it counts no further than that. */
export async function findLargeOwners(db: Knex, limit: number): Promise<number[]> {
  const countOf = (condition: string) =>
    `(select count(*) from (select from urls where ${condition} limit cast(:limit as bigint) + 1) as counted)`;
  const { rows } = await db.raw<{ rows: { owner: number }[] }>(
    `select cast(:everyone as bigint) as owner where ${countOf('true')} > :limit
     union all
     select id from api_keys where ${countOf('created_by = api_keys.id')} > :limit
     order by owner`,
    { everyone, limit },
  );
  return rows.map(({ owner }) => owner);
}

/** Whether a pass that took `seconds` is due again: after a minute, or later so that it takes at most a twentieth of the time. */
export const isDueSql = `coalesce(clock_timestamp() - as_of >= make_interval(secs => greatest(55, 20 * seconds)), true)`;
