import type { Knex } from 'knex';

/** Future partitions get this index too. */
export async function up(db: Knex): Promise<void> {
  await db.raw(
    'create index url_analytics_segment on url_analytics using brin (segment) with (pages_per_range = 32, autosummarize = on)',
  );
}

export async function down(db: Knex): Promise<void> {
  await db.raw('drop index url_analytics_segment');
}
