import type { Knex } from 'knex';

/** Reservations that end: the code of a short URL that its API key purged early stays reserved for that key until then. Null: the
 *  reservation does not end. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    alter table reserved_keys add reserved_until timestamptz;
    create index reserved_keys_reserved_until on reserved_keys (reserved_until) where reserved_until is not null`);
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    delete from reserved_keys where reserved_until is not null;
    alter table reserved_keys drop reserved_until`);
}
