import type { Knex } from 'knex';

/** The secret of a day (UTC) that makes visitor ids of it; it is removed 48 hours after that day began. */
export async function up(db: Knex): Promise<void> {
  await db.raw('create table visitor_salts (day date primary key, salt bytea not null)');
}

export async function down(db: Knex): Promise<void> {
  await db.raw('drop table visitor_salts');
}
