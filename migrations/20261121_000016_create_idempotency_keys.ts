import type { Knex } from 'knex';

/** What requests made that may come again, by the key that they came with, item by item: it is written by the statement that makes it. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table idempotency_keys (
      api_key_id bigint not null references api_keys (id),
      key text collate "C" not null,
      item integer not null,
      request_hash bytea not null,
      made jsonb not null,
      created_at timestamptz not null default now(),
      primary key (api_key_id, key, item)
    );
    create index idempotency_keys_created_at on idempotency_keys (created_at)`);
}

export async function down(db: Knex): Promise<void> {
  await db.raw('drop table idempotency_keys');
}
