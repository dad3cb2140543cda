import type { Knex } from 'knex';

/** The blocklist, and a counter of its changes by any program, by which processes know whether their copy is current. Reports of
 *  visitors: a report contains no data about the visitor and outlives its short URL. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table blocked_hosts (
      -- In the URL parser's spelling, without a final dot: any other spelling would never match.
      host text collate "C" primary key
        constraint blocked_hosts_host_format check (
          length(host) <= 253 and host ~ '^([a-z0-9_-]+(\\.[a-z0-9_-]+)*|\\[[0-9a-f:]+\\])$'
        ),
      reason text,
      created_at timestamptz not null default now(),
      created_by bigint references api_keys (id)
    );
    create table blocked_hosts_version (version bigint not null);
    insert into blocked_hosts_version (version) values (0);

    -- With the rights of the tables' owner: other programs need rights on blocked_hosts only.
    create function increment_blocked_hosts_version() returns trigger
      language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
      begin
        perform set_config('search_path', quote_ident(tg_table_schema) || ', pg_temp', true);
        update blocked_hosts_version set version = version + 1;
        return null;
      end $$;
    create trigger increment_blocked_hosts_version after insert or update or delete or truncate on blocked_hosts
      for each statement execute function increment_blocked_hosts_version();

    create table reports (
      id bigint generated always as identity primary key,
      short_code text collate "C" not null,
      -- The original URL at the time of the report: the owner may have changed it since.
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
  await db.raw(`
    drop table reports, blocked_hosts_version, blocked_hosts;
    drop function increment_blocked_hosts_version`);
}
