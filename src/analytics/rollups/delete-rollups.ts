import type { Knex } from '../../storage/postgres/postgres.ts';
import { blockPartitionChanges } from '../partitions/partition-ddl.ts';

/** Roll-up tables of a short URL. */
export const rollupTables = [
  'url_clicks_hourly',
  'url_clicks_daily',
  'url_pending_clicks',
  'url_bots_daily',
  'url_visitors_daily',
] as const;

/** Deletes all analytics of short URLs whose counters the transaction has locked. */
export async function deleteRollups(trx: Knex, urlIds: number[]): Promise<void> {
  // Otherwise a concurrent roll-up or count of visitors would be stored afterwards.
  await blockPartitionChanges(trx);
  for (const table of ['url_analytics', ...rollupTables])
    await trx.raw('delete from ?? where url_id = any(cast(? as bigint[]))', [table, urlIds]);
  await trx.raw('update url_stats set analytics_clicks = 0 where url_id = any(cast(? as bigint[]))', [
    urlIds,
  ]);
}
