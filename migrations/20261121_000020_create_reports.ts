import type { Knex } from 'knex';

/** What visitors report about short URLs. Who they are is nowhere. A report outlives its short URL. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table reports (
      id bigint generated always as identity primary key,
      short_code text collate "C" not null,
      -- Where it led when it was reported: its owner may have changed that since.
      original_url text not null,
      reason text not null,
      comment text,
      created_at timestamptz not null default now(),
      closed_at timestamptz,
      closed_by bigint references api_keys (id)
    );
    create index reports_open on reports (short_code) where closed_at is null`);
}

export async function down(db: Knex): Promise<void> {
  await db.raw('drop table reports');
}
