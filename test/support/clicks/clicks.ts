import type { Batch } from '../../../src/clicks/click-batch.ts';
import { type Knex, onlyRow } from '../../../src/storage/postgres/postgres.ts';

/** Inserts short URLs with counters; resolves to their IDs. */
export async function createUrlIds(db: Knex, count: number): Promise<number[]> {
  const { rows } = await db.raw<{ rows: { url_id: number }[] }>(
    `with u as (
       insert into urls (short_code, original_url, code_is_generated)
       select gen_random_uuid()::text, 'https://example.com/', true from generate_series(1, :count) returning id
     )
     insert into url_stats (url_id) select id from u order by id returning url_id`,
    { count },
  );
  return rows.map((row) => row.url_id);
}

/** Reads the counters of short URLs, in the given order; -1 for a missing one. */
export async function readCounts(db: Knex, urlIds: number[]): Promise<number[]> {
  const rows = await db('url_stats')
    .where('url_id', '=', db.raw('any(?)', [urlIds]))
    .select('url_id', 'click_count');
  const counts = new Map(rows.map((row) => [row.url_id, row.click_count]));
  return urlIds.map((id) => counts.get(id) ?? -1);
}

/** A batch with `clicks` on one short URL, of a producer that accepts the same number in each batch. */
export const makeBatch = (producer: string, seq: number, urlId: number, clicks = 1): Batch => ({
  producer,
  seq,
  accepted: clicks * seq,
  clicks: [{ urlId, count: clicks, lastAtMs: 1_700_000_000_000 + seq }],
});

/** Resets the ledger and the analytics: no producers, dead letters and short URLs. */
export async function resetLedger(db: Knex): Promise<void> {
  await db('click_producers').del();
  await db('click_dead_letters').del();
  await db('urls').del();
  for (const table of [
    'url_analytics',
    'url_clicks_hourly',
    'url_clicks_daily',
    'url_pending_clicks',
    'url_bots_daily',
    'url_visitors_daily',
    'analytics_removals',
  ])
    await db(table).del();
  await db('click_ledger_totals').update({
    removed_accepted: 0,
    removed_clicks: 0,
    purged_clicks: 0,
    producers_removed_through: null,
  });
}

/** Sets the last sign of life of a producer back by some days. */
export async function ageProducer(db: Knex, producer: string, days: number): Promise<void> {
  await db.raw(
    `update click_producers set last_applied_at = now() - make_interval(secs => :seconds),
       reported_at = now() - make_interval(secs => :seconds)
     where producer = :producer`,
    { producer, seconds: days * 86_400 },
  );
}

/** Reads the number of deadlocks in this database. */
export async function countDeadlocks(db: Knex): Promise<number> {
  const sql =
    'select pg_stat_get_db_deadlocks(oid) as count from pg_database where datname = current_database()';
  return onlyRow(await db.raw<{ rows: { count: number }[] }>(sql)).count;
}
