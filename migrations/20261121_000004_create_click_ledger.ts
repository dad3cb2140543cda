import type { Knex } from 'knex';

/** The ledger: which batches of each producer are counted. All up to `applied_through`, and those in `click_ooo`
 *  (out of order, above it). `batches` and `clicks` are its running totals. What cannot be counted is kept in quarantine. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table click_producers (
      producer uuid primary key,
      applied_through bigint not null default 0,
      batches bigint not null default 0,
      clicks bigint not null default 0,
      first_applied_at timestamptz not null default now(),
      last_applied_at timestamptz not null default now()
    ) with (fillfactor = 70);
    create table click_ooo (
      producer uuid not null references click_producers (producer) on delete cascade,
      seq bigint not null,
      primary key (producer, seq)
    );
    create table click_quarantine (
      id bigint generated always as identity primary key,
      source text not null unique,
      reason text not null,
      payload text not null,
      quarantined_at timestamptz not null default now()
    )`);
}

export async function down(db: Knex): Promise<void> {
  await db.raw('drop table click_quarantine, click_ooo, click_producers');
}
