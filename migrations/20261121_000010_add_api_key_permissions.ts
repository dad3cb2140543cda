import type { Knex } from 'knex';

/** What an API key may do and how long, and room for two secrets, so that one can take the place of the other while both are
 *  valid. Keys that are there already could do everything, and still can. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    alter table api_keys
      add scopes text[] not null default '{admin}',
      add own_urls_only boolean not null default false,
      add expires_at timestamptz,
      add last_used_at timestamptz,
      add rotated_at timestamptz,
      add previous_public_part text collate "C" unique,
      add previous_key_hash bytea,
      add previous_until timestamptz,
      add constraint api_keys_own_urls_only check (not own_urls_only or not scopes && '{admin,jobs:run}');
    alter table api_keys alter scopes drop default`);
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    alter table api_keys
      drop scopes, drop own_urls_only, drop expires_at, drop last_used_at, drop rotated_at, drop previous_public_part,
      drop previous_key_hash, drop previous_until`);
}
