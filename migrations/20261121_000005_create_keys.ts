import type { Knex } from 'knex';

/** The key generator (one row), each block of numbers it ever handed out, keys reserved for other systems,
 *  and keys that come back into use once their quarantine is over. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table key_generator (
      only_row boolean primary key default true check (only_row),
      secret bytea not null check (length(secret) = 32),
      code_length smallint not null default 7 check (code_length between 4 and 8),
      next_number bigint not null default 0
    );
    insert into key_generator (secret) values (
      decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex'));
    create table key_blocks (
      first_number bigint primary key,
      size integer not null check (size > 0),
      purpose text not null,
      reserved_at timestamptz not null default now()
    );
    create table reserved_keys (
      short_code text collate "C" primary key,
      api_key_id bigint not null references api_keys (id),
      reserved_at timestamptz not null default now()
    );
    create table returned_keys (
      short_code text collate "C" primary key,
      available_at timestamptz not null
    );
    create index returned_keys_available_at on returned_keys (available_at)`);
}

export async function down(db: Knex): Promise<void> {
  await db.raw('drop table returned_keys, reserved_keys, key_blocks, key_generator');
}
