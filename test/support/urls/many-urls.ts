import type { Knex } from '../../../src/storage/postgres/postgres.ts';

/** Short URLs per statement. */
const perStatement = 500_000;

/** Inserts millions of short URLs by SQL in minutes, without triggers and with the indexes of `urls` built at the end: codes `many-<n>`, 20,000
 *  hosts and 200 tags by Zipf's law, titles and search texts, a tenth of them of one API key, and clicks by Zipf's law on two thirds. The ledger
 *  has the clicks as imported ones, so that `reconcile` is exact. */
export async function insertManyUrls(
  db: Knex,
  { count, createdBy, onProgress }: { count: number; createdBy: number; onProgress?: (done: number) => void },
): Promise<void> {
  const { rows: indexes } = await db.raw<{ rows: { name: string; definition: string }[] }>(
    `select c.relname as name, pg_get_indexdef(i.indexrelid) as definition
     from pg_index i join pg_class c on c.oid = i.indexrelid
     where i.indrelid = 'urls'::regclass and not exists (select from pg_constraint where conindid = i.indexrelid)`,
  );
  await db.raw(indexes.map(({ name }) => `drop index ${name}`).join('; '));
  for (let begin = 0; begin < count; begin += perStatement) {
    const last = Math.min(begin + perStatement, count) - 1;
    await db.transaction(async (trx) => {
      await trx.raw('set local session_replication_role = replica');
      await trx.raw(
        `with drawn as materialized (
           select n, floor(20000 ^ random()) as host, floor(200 ^ random()) as tag, random() as share
           from generate_series(cast(:begin as bigint), :last) as n
         ), u as (
           insert into urls (short_code, original_url, title, tags, created_at, created_by, search_text)
           select 'many-' || n, 'https://host' || host || '.example/articles/' || n || '/index.html',
             'Article ' || n, case when share < 0.5 then array['tag-' || tag] else '{}' end,
             now() - n * interval '1 second', case when share < 0.1 then cast(:createdBy as bigint) end,
             'many-' || n || E'\\narticle ' || n || E'\\nhttps://host' || host || '.example/articles/' || n || '/index.html'
           from drawn
           returning id, created_at
         )
         insert into url_stats (url_id, click_count, last_accessed_at)
         select id, clicks, case when clicks > 0 then created_at end
         from (select id, created_at, floor(1e5 ^ (random() * 1.5 - 0.5)) as clicks from u) as drawn_clicks`,
        { begin, last, createdBy },
      );
    });
    onProgress?.(last + 1);
  }
  for (const { definition } of indexes) {
    await db.raw(definition);
    onProgress?.(count);
  }
  await db.raw(
    'update imported_clicks set clicks = clicks + (select coalesce(sum(click_count), 0) from url_stats)',
  );
  await db.raw('vacuum (analyze) urls, url_stats');
}
