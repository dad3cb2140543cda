import type { Knex } from 'knex';

/** API keys at rest: a public part to look the row up by, and a hash of the whole key. The key itself is not stored. A rotated key keeps its
 *  previous secret until `previous_until`. `idempotency_keys` has the result of each create request, one row per item, written by
 *  the statement that creates the item. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table api_keys (
      id bigint generated always as identity primary key,
      name text not null,
      public_part text collate "C" not null unique,
      key_hash bytea not null,
      created_at timestamptz not null default now(),
      revoked_at timestamptz,
      scopes text[] not null,
      own_urls_only boolean not null default false,
      expires_at timestamptz,
      last_used_at timestamptz,
      rotated_at timestamptz,
      previous_public_part text collate "C" unique,
      previous_key_hash bytea,
      previous_until timestamptz,
      constraint api_keys_own_urls_only check (not own_urls_only or not scopes && '{admin,jobs:run}')
    );
    create table idempotency_keys (
      api_key_id bigint not null references api_keys (id),
      key text collate "C" not null,
      item integer not null,
      request_hash bytea not null,
      result jsonb not null,
      created_at timestamptz not null default now(),
      primary key (api_key_id, key, item)
    );
    create index idempotency_keys_created_at on idempotency_keys (created_at)`);
}

export async function down(db: Knex): Promise<void> {
  await db.raw('drop table idempotency_keys, api_keys');
}
