import type { Knex } from 'knex';

/** Sessions of browsers, and the tokens of sign-in links, at rest: only hashes. A session belongs to the ID of an API key, so that a rotation
 *  of the key does not end it. No index has a column that use updates, so each update is a HOT update. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table sessions (
      id bigint generated always as identity primary key,
      token_hash bytea not null unique,
      api_key_id bigint not null references api_keys (id),
      created_at timestamptz not null default now(),
      last_used_at timestamptz not null default now(),
      expires_at timestamptz not null,
      user_agent text
    );
    create index sessions_api_key_id on sessions (api_key_id);
    create table sign_in_tokens (
      token_hash bytea primary key,
      api_key_id bigint not null references api_keys (id),
      created_at timestamptz not null default now(),
      expires_at timestamptz not null
    )`);
}

export async function down(db: Knex): Promise<void> {
  await db.raw('drop table sign_in_tokens, sessions');
}
