import type { Knex } from 'knex';
import { createIndexConcurrently, dropIndexConcurrently } from '../src/storage/schema/concurrent-index.ts';

/** Rolling up a segment reads its click events, which lie together. A partitioned index cannot be built concurrently, so each partition
 *  gets one first. */
export const transaction = false;

const name = 'url_analytics_segment';
const definition = 'using brin (segment) with (pages_per_range = 32, autosummarize = on)';

async function listPartitions(db: Knex): Promise<string[]> {
  const { rows } = await db.raw<{ rows: { partition: string }[] }>(
    `select relname as partition from pg_inherits join pg_class on oid = inhrelid
     where inhparent = cast('url_analytics' as regclass) order by 1`,
  );
  return rows.map(({ partition }) => partition);
}

export async function up(db: Knex): Promise<void> {
  for (const partition of await listPartitions(db))
    await createIndexConcurrently(db, {
      name: `${partition}_segment_idx`,
      definition: `on ${partition} ${definition}`,
    });
  await db.raw(`create index if not exists ${name} on url_analytics ${definition}`);
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`drop index if exists ${name}`);
  for (const partition of await listPartitions(db))
    await dropIndexConcurrently(db, `${partition}_segment_idx`);
}
