import type { Knex } from 'knex';

/** API keys at rest: a public part to find the row by and a hash of the whole; the key itself is nowhere. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table api_keys (
      id bigint generated always as identity primary key,
      name text not null,
      public_part text collate "C" not null unique,
      key_hash bytea not null,
      created_at timestamptz not null default now(),
      revoked_at timestamptz
    )`);
}

export async function down(db: Knex): Promise<void> {
  await db.raw('drop table api_keys');
}
