import type { Knex } from 'knex';

/** Epochs bind the content of Redis (cached versions, URL ids in unconfirmed clicks, key pool) to the history of this database. The row
 *  with the highest number is the current one. `database_epoch_fingerprints` has the fingerprint of the row when it was written:
 *  cluster, timeline, database, table and the row's own transaction. A restored dump, a clone, a recovery to a point in time and a
 *  promoted standby all change one of them. The next read of the epoch, or the next statement that writes `urls`, then begins a new
 *  epoch first.
 *
 *  The session that begins an epoch holds its locks until its transaction ends. Others wait for one second at most, even if their client
 *  has disconnected, and then fail with lock_not_available (55P03). */
export async function up(db: Knex): Promise<void> {
  // With the rights of the owner: every role must compute the same fingerprint. The helpers run as the function that calls them.
  const asOwner = `language plpgsql security definer set search_path = pg_catalog, pg_temp`;
  // The schema may have been renamed. A default is bound to the table, so it finds the schema; the setting ends with the function.
  const epochsTable = `epochs_table regclass default 'database_epochs'::regclass`;
  const enterSchema = `
        if not exists (select from pg_class where oid = epochs_table and relowner = current_user::regrole) then
          raise insufficient_privilege using message = 'the caller may not choose another table';
        end if;
        perform set_config('search_path',
          (select relnamespace::regnamespace::text from pg_class where oid = epochs_table) || ', pg_temp', true);`;
  await db.raw(`
    create table database_epochs (
      number bigint primary key,
      epoch uuid not null unique default gen_random_uuid(),
      reason text not null,
      began_at timestamptz not null default now(),
      -- Cached versions below this one belong to an earlier epoch.
      version_floor bigint not null,
      -- Ids up to this one name the same short URL as in the epoch before.
      url_id_floor bigint not null
    );
    -- Every role that counts clicks reads it, also without default privileges; it contains no secrets.
    grant select on database_epochs to public;
    create table database_epoch_fingerprints (
      number bigint primary key references database_epochs (number) on delete cascade,
      fingerprint text not null
    );

    -- Null on a standby, which has no timeline of its own yet.
    create function database_fingerprint() returns text language plpgsql stable as $$
      declare
        cluster text := 'unknown';
        timeline text := 'unknown';
      begin
        if pg_is_in_recovery() then return null; end if;
        begin
          cluster := (select system_identifier::text from pg_control_system());
        exception when insufficient_privilege or undefined_function or feature_not_supported then null;
        end;
        begin
          timeline := left(pg_walfile_name(pg_current_wal_insert_lsn()), 8);
        exception when insufficient_privilege or undefined_function or feature_not_supported then null;
        end;
        return concat_ws('/', cluster, timeline,
          (select oid from pg_database where datname = current_database()), 'database_epochs'::regclass::oid);
      end $$;

    create function has_current_epoch() returns boolean language plpgsql stable as $$
      declare
        current_fingerprint text := database_fingerprint();
      begin
        return current_fingerprint is null or coalesce((
          select f.fingerprint = current_fingerprint || '/' || e.xmin::text
          from database_epochs e left join database_epoch_fingerprints f using (number)
          order by e.number desc limit 1), false);
      end $$;

    -- Begins an epoch if there is no current one, or if is_forced. Its versions are higher than those of all earlier epochs, than
    -- \`min_version\`, and than those of any other copy of this database that began an epoch in another second.
    create function begin_epoch(epoch_reason text, min_version bigint, is_forced boolean, ids_until_restart boolean)
      returns void language plpgsql set lock_timeout = '1s' as $$
      declare
        latest database_epochs;
        last_id bigint;
        last_version bigint := (select last_value from url_versions);
        floor bigint := 0;
        next_number bigint := 1;
      begin
        lock table database_epochs in exclusive mode;
        if has_current_epoch() and not is_forced then return; end if;
        select * into latest from database_epochs order by number desc limit 1;
        execute 'select case when is_called then last_value else 0 end from ' || pg_get_serial_sequence('urls', 'id')
          into last_id;
        if not is_forced and last_id = 0 and coalesce(latest.number, 1) = 1 then
          -- A copy of a database that never had a short URL: Redis cannot refer to one.
          delete from database_epochs;
        else
          next_number := coalesce(latest.number, 0) + 1;
          floor := greatest(last_version, latest.version_floor, min_version, extract(epoch from clock_timestamp())::bigint << 20) + 1;
          perform setval('url_versions', floor + 4);
          if ids_until_restart then
            last_id := coalesce((select min(id) - 1 from urls where created_at >= pg_postmaster_start_time()), last_id);
          end if;
          -- Do not hand out again the codes that the lost history handed out.
          update key_generator set next_number = key_generator.next_number + least(100000000,
            greatest(0, (62::numeric ^ code_length)::bigint - key_generator.next_number) / 1000);
        end if;
        insert into database_epochs (number, reason, version_floor, url_id_floor)
          values (next_number, epoch_reason, floor, last_id);
        -- A restored copy may or may not have a row of this number.
        insert into database_epoch_fingerprints (number, fingerprint)
          select number, database_fingerprint() || '/' || xmin::text from database_epochs where number = next_number
          on conflict (number) do update set fingerprint = excluded.fingerprint;
      end $$;

    create function begin_database_epoch(
        epoch_reason text, min_version bigint, is_forced boolean, ids_until_restart boolean, ${epochsTable})
      returns void ${asOwner} as $$
      begin${enterSchema}
        -- Any role may detect a restored database; only a role of Linkmill may force another epoch.
        if is_forced and not has_table_privilege(session_user, 'click_dead_letters', 'insert') then
          raise insufficient_privilege using message = 'permission denied for function begin_database_epoch';
        end if;
        perform begin_epoch(epoch_reason, min_version, is_forced, ids_until_restart);
      end $$;

    create function ensure_current_epoch() returns trigger ${asOwner} as $$
      begin
        -- The schema may have been renamed; the setting ends with the function.
        perform set_config('search_path', quote_ident(tg_table_schema) || ', pg_temp', true);
        if not has_current_epoch() then
          perform begin_epoch('restored, cloned or promoted', 0, false, false);
        end if;
        return null;
      end $$;

    create function read_database_epoch(${epochsTable}) returns table (number bigint, epoch uuid, identity uuid, version_floor bigint,
        url_id_floor bigint, reason text, age_seconds double precision, version bigint, wal_position bigint) ${asOwner} as $$
      #variable_conflict use_column
      declare
        wal bigint;
      begin${enterSchema}
        if not has_current_epoch() then
          perform begin_epoch('restored, cloned or promoted', 0, false, false);
        end if;
        begin
          -- The flushed position survives a crash.
          if not pg_is_in_recovery() then wal := pg_current_wal_flush_lsn() - '0/0'::pg_lsn; end if;
        exception when insufficient_privilege or undefined_function or feature_not_supported then null;
        end;
        return query
          select e.number, e.epoch, (select f.epoch from database_epochs f order by f.number limit 1), e.version_floor,
                 e.url_id_floor, e.reason, extract(epoch from now() - e.began_at)::double precision,
                 (select last_value from url_versions), wal
          from database_epochs e order by e.number desc limit 1;
      end $$;

    revoke all on function ensure_current_epoch from public;
    create trigger ensure_current_epoch before insert or update or delete on urls
      for each statement execute function ensure_current_epoch();
    select begin_database_epoch('created', 0, false, false)`);
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    drop trigger ensure_current_epoch on urls;
    drop function read_database_epoch, ensure_current_epoch, begin_database_epoch, begin_epoch, has_current_epoch, database_fingerprint;
    drop table database_epoch_fingerprints, database_epochs`);
}
