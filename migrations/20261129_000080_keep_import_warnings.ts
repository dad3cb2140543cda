import type { Knex } from 'knex';

/** What rows were imported without, how files are written, how their uploaders name their columns, and which URLs they may have. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    alter table imports
      add delimiter text not null default ',',
      add charset text,
      add mapping jsonb,
      add max_url_length integer not null default 2048,
      add schemes text[] not null default '{}',
      add restored bigint not null default 0,
      add warnings bigint not null default 0;
    alter table import_errors add code text not null default 'invalid';
    create table import_warnings (
      import_id bigint not null references imports (id) on delete cascade,
      id bigint generated always as identity,
      line bigint not null,
      field text not null,
      code text not null,
      reason text not null,
      primary key (import_id, id)
    )`);
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    drop table import_warnings;
    alter table import_errors drop code;
    alter table imports drop delimiter, drop charset, drop mapping, drop max_url_length, drop schemes,
      drop restored, drop warnings`);
}
