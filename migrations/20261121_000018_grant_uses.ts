import type { Knex } from 'knex';

/** Many visitors' uses are taken by one statement, which must say how many of them it gave. */
export async function up(db: Knex): Promise<void> {
  await db.raw('alter table url_uses add granted bigint not null default 0');
}

export async function down(db: Knex): Promise<void> {
  await db.raw('alter table url_uses drop granted');
}
