import type { Knex } from 'knex';

/** Short URLs. Every change takes a higher version from one sequence: the cache protocol stands on it. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create sequence url_versions as bigint;
    create table urls (
      id bigint generated always as identity primary key,
      short_code text collate "C" not null unique,
      original_url text not null,
      code_is_generated boolean not null,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      created_by bigint references api_keys (id),
      expires_at timestamptz,
      is_active boolean not null default true,
      deleted_at timestamptz,
      version bigint not null default nextval('url_versions')
    );
    create index urls_created_at on urls (created_at);
    create index urls_to_expire on urls (expires_at) where is_active and expires_at is not null;
    create index urls_to_purge_expired on urls (expires_at) where not is_active and expires_at is not null;
    create index urls_to_purge_deleted on urls (deleted_at) where deleted_at is not null`);
}

export async function down(db: Knex): Promise<void> {
  await db.raw('drop table urls; drop sequence url_versions');
}
