import type { Knex } from '../../storage/postgres/postgres.ts';
import { keepUnchanged } from '../partitions/lock.ts';

/** What the analytics have of a short URL beside its rows. */
export const sumTables = [
  'url_clicks_hourly',
  'url_clicks_daily',
  'url_bots_daily',
  'url_visitors_daily',
] as const;

/** Deletes all that the analytics have of short URLs, whose counters the transaction has locked. */
export async function deleteRollups(trx: Knex, urlIds: number[]): Promise<void> {
  // Visitors that are being counted would be written down afterwards.
  await keepUnchanged(trx);
  for (const table of ['url_analytics', ...sumTables])
    await trx.raw('delete from ?? where url_id = any(cast(? as bigint[]))', [table, urlIds]);
  await trx.raw('update url_stats set analytics_clicks = 0 where url_id = any(cast(? as bigint[]))', [
    urlIds,
  ]);
}
