import { boundedTransaction, type Knex } from '../../storage/postgres/postgres.ts';
import { listPartitions } from '../partitions/names.ts';
import { deleteRollups, sumTables } from './delete-rollups.ts';

/** Rows that one statement deletes. */
const sliceSize = 20_000;

export type AnalyticsRemovals = ReturnType<typeof createAnalyticsRemovals>;

/** Short URLs that are purged, or deleted by another program, and whose figures are to go. */
export const createAnalyticsRemovals = (db: Knex) => ({
  /** How many there are. */
  async count(): Promise<number> {
    const { rows } = await db.raw<{ rows: { count: number }[] }>(
      'select count(*) as count from analytics_removals',
    );
    return rows[0]!.count;
  },

  /** Removes all that the analytics have of up to `limit` of them, in steps of seconds; resolves to how many there were. Asks
   *  `goOn` after each; 0 when told to stop. One that another program has put back under its old id begins anew. */
  async remove(limit: number, goOn: () => Promise<boolean>): Promise<number> {
    const { rows } = await db.raw<{ rows: { url_id: number }[] }>(
      'select url_id from analytics_removals order by url_id limit :limit',
      { limit },
    );
    const urlIds = rows.map((row) => row.url_id);
    if (urlIds.length === 0) return 0;
    for (const table of [...(await listPartitions(db)), ...sumTables])
      for (let deleted = sliceSize; deleted === sliceSize;) {
        deleted = await deleteSlice(db, table, urlIds);
        if (!(await goOn())) return 0;
      }
    await removeRest(db, urlIds);
    return urlIds.length;
  },
});

/** Leaves alone what somebody is just adding to: that of a short URL that was put back. */
async function deleteSlice(db: Knex, table: string, urlIds: number[]): Promise<number> {
  const { rowCount } = await db.raw<{ rowCount: number }>(
    `delete from ?? where ctid = any(array(
       select ctid from ?? where url_id = any(cast(? as bigint[])) limit ? for update skip locked
     ))`,
    [table, table, urlIds, sliceSize],
  );
  return rowCount;
}

async function removeRest(db: Knex, urlIds: number[]): Promise<void> {
  await boundedTransaction(db, async (trx) => {
    // Counters first, as whoever counts clicks: nobody adds to what is removed.
    await trx.raw(
      'select from url_stats where url_id = any(cast(:urlIds as bigint[])) order by url_id for update',
      { urlIds },
    );
    await deleteRollups(trx, urlIds);
    await trx.raw('delete from analytics_removals where url_id = any(cast(:urlIds as bigint[]))', { urlIds });
  });
}
