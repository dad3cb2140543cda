import type { Knex } from 'knex';
import { createIndexConcurrently, dropIndexConcurrently } from '../src/storage/schema/concurrent-index.ts';

/** Rolling up a segment reads its click events, which lie together. A partitioned index cannot be built concurrently: each partition gets
 *  one, and the next migration combines them. */
export const transaction = false;

const definition = 'using brin (segment) with (pages_per_range = 32, autosummarize = on)';
const nameOf = (partition: string) => `${partition}_segment_idx`;

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
      name: nameOf(partition),
      definition: `on ${partition} ${definition}`,
    });
}

export async function down(db: Knex): Promise<void> {
  for (const partition of await listPartitions(db)) await dropIndexConcurrently(db, nameOf(partition));
}
