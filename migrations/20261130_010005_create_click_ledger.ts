import type { Knex } from 'knex';

/** The ledger: which batches of each producer are counted. These are all batches up to `applied_through`, and those above it in
 *  `click_out_of_order_batches`. `batches` and `clicks` are running totals; `accepted` is what the web process reports to have
 *  recorded. Entries that cannot be counted are kept in `click_dead_letters`.
 *
 *  `click_ledger_totals` has one row with the clicks of producers and short URLs that no longer exist. `producers_removed_through` is
 *  the start time of the youngest removed producer: the batches of an unknown older producer may have been counted before.
 *  `imported_clicks` has the clicks that short URLs were imported with; no producer accepted them. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table click_producers (
      producer uuid primary key,
      applied_through bigint not null default 0,
      batches bigint not null default 0,
      clicks bigint not null default 0,
      first_applied_at timestamptz not null default now(),
      last_applied_at timestamptz not null default now(),
      accepted bigint not null default 0,
      reported_at timestamptz
    ) with (fillfactor = 70);
    create table click_out_of_order_batches (
      producer uuid not null references click_producers (producer) on delete cascade,
      seq bigint not null,
      primary key (producer, seq)
    );
    create table click_dead_letters (
      id bigint generated always as identity primary key,
      source text not null unique,
      reason text not null,
      payload text not null,
      created_at timestamptz not null default now()
    );
    create table click_ledger_totals (
      only_row boolean primary key default true check (only_row),
      removed_accepted bigint not null default 0,
      removed_clicks bigint not null default 0,
      purged_clicks bigint not null default 0,
      producers_removed_through timestamptz
    );
    insert into click_ledger_totals default values;
    create table imported_clicks (
      only_row boolean primary key default true check (only_row),
      clicks bigint not null default 0
    );
    insert into imported_clicks default values`);
}

export async function down(db: Knex): Promise<void> {
  await db.raw(
    'drop table imported_clicks, click_ledger_totals, click_dead_letters, click_out_of_order_batches, click_producers',
  );
}
