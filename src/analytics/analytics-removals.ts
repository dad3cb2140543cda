import { type Knex } from '../postgres.ts';

export type AnalyticsRemovals = ReturnType<typeof createAnalyticsRemovals>;

/** Short URLs that are purged, or deleted by another program, and whose figures are to go. */
export function createAnalyticsRemovals(db: Knex) {
  return {
    /** How many there are. */
    async count(): Promise<number> {
      const { rows } = await db.raw<{ rows: { count: number }[] }>(
        'select count(*) as count from analytics_removals',
      );
      return rows[0]!.count;
    },

    /** Removes all that the analytics have of up to `limit` of them, day by day; resolves to how many there were. One that another
     *  program has put back under its old id begins anew. */
    async remove(limit: number): Promise<number> {
      const { rows } = await db.raw<{ rows: { url_id: number }[] }>(
        'select url_id from analytics_removals order by url_id limit :limit',
        { limit },
      );
      const urlIds = rows.map((row) => row.url_id);
      if (urlIds.length === 0) return 0;
      for (const partition of await listPartitions(db))
        await db.raw('delete from ?? where url_id = any(cast(? as bigint[]))', [partition, urlIds]);
      await removeFigures(db, urlIds);
      return urlIds.length;
    },
  };
}

async function listPartitions(db: Knex): Promise<string[]> {
  const { rows } = await db.raw<{ rows: { name: string }[] }>(
    `select relname as name from pg_inherits join pg_class on oid = inhrelid
     where inhparent = cast('url_analytics' as regclass) order by 1`,
  );
  return rows.map((row) => row.name);
}

async function removeFigures(db: Knex, urlIds: number[]): Promise<void> {
  await db.transaction(async (trx) => {
    const run = async (statement: string) =>
      await trx.raw(statement.concat(' where url_id = any(cast(:urlIds as bigint[]))'), { urlIds });
    // Counters first, as whoever counts clicks: nobody adds to what is removed.
    await trx.raw(
      'select from url_stats where url_id = any(cast(:urlIds as bigint[])) order by url_id for update',
      { urlIds },
    );
    for (const table of ['url_analytics', 'url_clicks_hourly', 'url_clicks_daily', 'url_visitors_daily'])
      await run(`delete from ${table}`);
    await run('update url_stats set analytics_clicks = 0');
    await run('delete from analytics_removals');
  });
}
