import type { Knex } from '../../storage/postgres/postgres.ts';

/** Owner of all short URLs in the tables of kept lists; others are API keys. */
export const everyone = 0;

/** Lists of at most this many short URLs are counted and sorted when they are read, which takes less than 300 ms. */
export const keptAbove = 100_000;

/** Returns the owners of more than `limit` short URLs, `everyone` first. Deleted short URLs count. */
export async function findLargeOwners(db: Knex, limit: number): Promise<number[]> {
  const { rows } = await db.raw<{ rows: { owner: number | null; count: number }[] }>(
    'select created_by as owner, count(*) as count from urls group by created_by',
  );
  const total = rows.reduce((sum, { count }) => sum + count, 0);
  if (total <= limit) return [];
  const keys = rows.flatMap(({ owner, count }) => (owner !== null && count > limit ? [owner] : []));
  return [everyone, ...keys];
}

/** Whether a pass that took `seconds` is due again: after a minute, or later so that it takes at most a twentieth of the time. */
export const isDueSql = `coalesce(clock_timestamp() - as_of >= make_interval(secs => greatest(55, 20 * seconds)), true)`;
