import { boundedTransaction, type Knex } from '../../storage/postgres/postgres.ts';
import { blockPartitionChanges, listPartitions } from '../partitions/partition-ddl.ts';
import { deleteRollups, rollupTables } from './delete-rollups.ts';

declare module 'knex/types/tables.js' {
  interface Tables {
    analytics_removals: { url_id: number };
  }
}

/** Rows per delete statement. */
const sliceSize = 20_000;

export type AnalyticsPurge = ReturnType<typeof createAnalyticsPurge>;

/** Deletes the analytics of short URLs that were purged, or deleted by another program. */
export const createAnalyticsPurge = (db: Knex) => ({
  /** Counts such short URLs. */
  async count(): Promise<number> {
    const { rows } = await db.raw<{ rows: { count: number }[] }>(
      'select count(*) as count from analytics_removals',
    );
    return rows[0]!.count;
  },

  /** Deletes the analytics of up to `limit` of them, in steps of seconds; resolves to their number. Calls
   *  `shouldContinue` after each step, and resolves to 0 when it returns false. A short URL that another program
   *  restored under its old ID starts with empty analytics. */
  async remove(limit: number, shouldContinue: () => Promise<boolean>): Promise<number> {
    const urlIds = await db('analytics_removals').orderBy('url_id').limit(limit).pluck('url_id');
    if (urlIds.length === 0) return 0;
    for (const table of [...(await listPartitions(db)), ...rollupTables])
      for (let deleted = sliceSize; deleted === sliceSize;) {
        deleted = await deleteSlice(db, table, urlIds);
        if (!(await shouldContinue())) return 0;
      }
    await deleteRest(db, urlIds);
    return urlIds.length;
  },
});

/** Skips locked rows: clicks are being added to a restored short URL. */
async function deleteSlice(db: Knex, table: string, urlIds: number[]): Promise<number> {
  const { rowCount } = await db.raw<{ rowCount: number }>(
    `delete from ?? where ctid = any(array(
       select ctid from ?? where url_id = any(cast(? as bigint[])) limit ? for update skip locked
     ))`,
    [table, table, urlIds, sliceSize],
  );
  return rowCount;
}

async function deleteRest(db: Knex, urlIds: number[]): Promise<void> {
  await boundedTransaction(db, async (trx) => {
    await blockPartitionChanges(trx);
    // Counters first, in the same order as counting clicks, so that no clicks are added to deleted rows.
    await trx.raw(
      'select from url_stats where url_id = any(cast(:urlIds as bigint[])) order by url_id for update',
      { urlIds },
    );
    await deleteRollups(trx, urlIds);
    await trx.raw('delete from analytics_removals where url_id = any(cast(:urlIds as bigint[]))', { urlIds });
  });
}
