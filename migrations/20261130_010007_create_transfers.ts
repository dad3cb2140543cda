import type { Knex } from 'knex';

/** Imports and exports. Web and worker processes share no disk, so uploads and downloads are kept here in chunks until they are
 *  deleted. Chunks are stored uncompressed, because PostgreSQL's compression would cost more than it saves. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table imports (
      id bigint generated always as identity primary key,
      api_key_id bigint not null references api_keys (id),
      state text not null default 'uploading'
        check (state in ('uploading', 'waiting', 'running', 'completed', 'failed')),
      encoding text not null check (encoding in ('csv', 'ndjson')),
      format text not null,
      own_hosts text[] not null,
      allows_private boolean not null,
      columns text[],
      ignored_columns text[] not null default '{}',
      bytes bigint not null default 0,
      done_bytes bigint not null default 0,
      done_lines bigint not null default 0,
      rows bigint not null default 0,
      created bigint not null default 0,
      skipped bigint not null default 0,
      failed bigint not null default 0,
      unreadable bigint not null default 0,
      error text,
      created_at timestamptz not null default now(),
      last_progress_at timestamptz not null default now(),
      finished_at timestamptz,
      deleted_at timestamptz,
      delimiter text not null default ',',
      charset text,
      mapping jsonb,
      max_url_length integer not null default 2048,
      schemes text[] not null default '{}',
      restored bigint not null default 0,
      warnings bigint not null default 0
    );
    create index imports_unfinished on imports (id) where state in ('uploading', 'waiting', 'running');
    create table import_chunks (
      import_id bigint not null references imports (id) on delete cascade,
      first_byte bigint not null,
      content bytea not null,
      primary key (import_id, first_byte)
    );
    alter table import_chunks alter content set storage external;
    create table import_errors (
      import_id bigint not null references imports (id) on delete cascade,
      id bigint generated always as identity,
      line bigint not null,
      field text not null,
      reason text not null,
      row text not null,
      code text not null default 'invalid',
      primary key (import_id, id)
    );
    create table import_warnings (
      import_id bigint not null references imports (id) on delete cascade,
      id bigint generated always as identity,
      line bigint not null,
      field text not null,
      code text not null,
      reason text not null,
      primary key (import_id, id)
    );

    create table exports (
      id bigint generated always as identity primary key,
      api_key_id bigint not null references api_keys (id),
      state text not null default 'waiting' check (state in ('waiting', 'running', 'completed', 'failed')),
      kind text not null,
      encoding text not null check (encoding in ('csv', 'ndjson')),
      owner bigint,
      last_id bigint not null default 0,
      up_to_id bigint,
      rows bigint not null default 0,
      bytes bigint not null default 0,
      chunks bigint not null default 0,
      created_at timestamptz not null default now(),
      last_progress_at timestamptz not null default now(),
      finished_at timestamptz,
      deleted_at timestamptz,
      filter jsonb not null default '{}',
      error text
    );
    create index exports_unfinished on exports (id) where state in ('waiting', 'running');
    create table export_chunks (
      export_id bigint not null references exports (id) on delete cascade,
      number bigint not null,
      content bytea not null,
      primary key (export_id, number)
    );
    alter table export_chunks alter content set storage external`);
}

export async function down(db: Knex): Promise<void> {
  await db.raw('drop table export_chunks, exports, import_warnings, import_errors, import_chunks, imports');
}
