import type { Knex } from 'knex';

/** Hosts that no short URL may lead to, and how often the list of them was changed, by whatever program: processes know by that
 *  number whether theirs is the latest. */
export async function up(db: Knex): Promise<void> {
  const { rows } = await db.raw<{ rows: [{ schema: string }] }>(
    'select quote_ident(current_schema()) as schema',
  );
  await db.raw(`
    create table blocked_hosts (
      -- As the URL parser spells it, without a final dot: in no other spelling would it ever be met.
      host text collate "C" primary key
        constraint blocked_hosts_spelling check (
          length(host) <= 253 and host ~ '^([a-z0-9_-]+(\\.[a-z0-9_-]+)*|\\[[0-9a-f:]+\\])$'
        ),
      reason text,
      created_at timestamptz not null default now(),
      created_by bigint references api_keys (id)
    );
    create table blocked_hosts_version (version bigint not null);
    insert into blocked_hosts_version (version) values (0);

    -- With the rights of the tables' owner: other programs need none but on blocked_hosts.
    create function count_blocked_hosts_change() returns trigger
      language plpgsql security definer set search_path = ${rows[0].schema}, pg_temp as $$
      begin
        update blocked_hosts_version set version = version + 1;
        return null;
      end $$;
    create trigger blocked_hosts_changed after insert or update or delete or truncate on blocked_hosts
      for each statement execute function count_blocked_hosts_change()`);
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    drop table blocked_hosts, blocked_hosts_version;
    drop function count_blocked_hosts_change`);
}
