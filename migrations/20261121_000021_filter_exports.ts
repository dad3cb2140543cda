import type { Knex } from 'knex';

/** Which rows an export is to have: everything, unless it says otherwise. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`alter table exports add filter jsonb not null default '{}'`);
}

export async function down(db: Knex): Promise<void> {
  await db.raw('alter table exports drop filter');
}
