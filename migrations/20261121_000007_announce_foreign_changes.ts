import type { Knex } from 'knex';

/** What keeps caches in step with other programs that write to `urls`. Each change, whoever makes it, gets a higher version
 *  and notes its transaction. Statements of connections that are not Linkmill's ("linkmill-…") are announced on the channel
 *  `linkmill_urls`, as "version:short code" separated by spaces, or as "*" where there are too many. What leaves no row
 *  behind leaves its code in `url_removals`; a TRUNCATE leaves the code "*". */
export async function up(db: Knex): Promise<void> {
  const { rows } = await db.raw<{ rows: [{ schema: string }] }>(
    'select quote_ident(current_schema()) as schema',
  );
  // With the rights of the tables' owner: other programs need none but on urls.
  const asOwner = `language plpgsql security definer set search_path = ${rows[0].schema}, pg_temp`;
  const isForeign = `current_setting('application_name') not like 'linkmill-%'`;
  await db.raw(`
    -- Between two versions there is room for one at which a short URL was removed, below any that its code gets again.
    alter sequence url_versions increment by 2;
    grant usage on sequence url_versions to public;
    alter table urls add changed_in xid8, alter code_is_generated set default false;
    create index urls_changed_in on urls (changed_in, short_code) where changed_in is not null;
    create table url_removals (
      short_code text collate "C" primary key,
      version bigint not null,
      removed_in xid8 not null default pg_current_xact_id(),
      removed_at timestamptz not null default now()
    );
    create index url_removals_removed_in on url_removals (removed_in, short_code);

    create function mark_url_change() returns trigger ${asOwner} as $$
      begin
        if new.version <= old.version or ${isForeign} then
          new.version := nextval('url_versions');
          new.updated_at := now();
        end if;
        new.changed_in := pg_current_xact_id();
        return new;
      end $$;

    create function remember_removed_urls(codes text[], versions bigint[]) returns void ${asOwner} as $$
      begin
        insert into url_removals (short_code, version)
        select code, version from unnest(codes, versions) as removed (code, version) order by code
        on conflict (short_code) do update set
          version = greatest(url_removals.version, excluded.version),
          removed_in = excluded.removed_in, removed_at = excluded.removed_at;
      end $$;

    -- Of more than 10,000 short URLs it needs the first 10,001.
    create function notify_url_changes(codes text[], versions bigint[]) returns void ${asOwner} as $$
      begin
        if cardinality(codes) > 10000 then
          perform pg_notify('linkmill_urls', '*');
        else
          -- Of at most 50 bytes each: a notification takes less than 8,000.
          perform pg_notify('linkmill_urls', string_agg(version || ':' || code, ' '))
          from unnest(codes, versions) with ordinality as changed (code, version, place)
          where code ~ '^[A-Za-z0-9_-]{1,32}$'
          group by (place - 1) / 150;
        end if;
      end $$;

    create function announce_inserted_urls() returns trigger ${asOwner} as $$
      begin
        insert into url_stats (url_id) select id from inserted on conflict do nothing;
        -- One that is restored with its old version comes after its removal all the same. Planned each time: a plan for one
        -- row would take ages for many.
        execute 'update urls set version = nextval(''url_versions'') from inserted i join url_removals r
          on r.short_code in (i.short_code, ''*'') and r.version >= i.version
          where urls.id = i.id';
        perform notify_url_changes(array_agg(short_code), array_agg(version)) from (table inserted limit 10001) as first_ones;
        return null;
      end $$;

    create function announce_updated_urls() returns trigger ${asOwner} as $$
      begin
        perform notify_url_changes(array_agg(short_code), array_agg(version)) from (table updated limit 10001) as first_ones;
        return null;
      end $$;

    create function announce_renamed_url() returns trigger ${asOwner} as $$
      begin
        perform remember_removed_urls(array[old.short_code], array[old.version + 1]);
        perform notify_url_changes(array[old.short_code], array[old.version + 1]);
        return null;
      end $$;

    create function announce_deleted_urls() returns trigger ${asOwner} as $$
      begin
        perform remember_removed_urls(array_agg(short_code), array_agg(version + 1)) from deleted;
        perform notify_url_changes(array_agg(short_code), array_agg(version + 1)) from (table deleted limit 10001) as first_ones;
        return null;
      end $$;

    create function announce_truncated_urls() returns trigger ${asOwner} as $$
      begin
        perform remember_removed_urls(array['*'], array[nextval('url_versions')]);
        perform pg_notify('linkmill_urls', '*');
        return null;
      end $$;

    -- A trigger fires without rights on its function; whoever had them could put it on a table of his own and have codes of
    -- his choice announced and removed.
    revoke all on function mark_url_change, announce_inserted_urls, announce_updated_urls, announce_renamed_url,
      announce_deleted_urls, announce_truncated_urls, notify_url_changes, remember_removed_urls from public;

    create trigger mark_change before update on urls for each row
      when (new.* is distinct from old.*) execute function mark_url_change();
    create trigger announce_inserted after insert on urls referencing new table as inserted
      when (${isForeign}) execute function announce_inserted_urls();
    create trigger announce_updated after update on urls referencing new table as updated
      when (${isForeign}) execute function announce_updated_urls();
    create trigger announce_renamed after update on urls for each row
      when (new.short_code <> old.short_code) execute function announce_renamed_url();
    create trigger announce_deleted after delete on urls referencing old table as deleted
      when (${isForeign}) execute function announce_deleted_urls();
    create trigger announce_truncated after truncate on urls
      when (${isForeign}) execute function announce_truncated_urls()`);
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    drop trigger mark_change on urls;
    drop trigger announce_inserted on urls;
    drop trigger announce_updated on urls;
    drop trigger announce_renamed on urls;
    drop trigger announce_deleted on urls;
    drop trigger announce_truncated on urls;
    drop function mark_url_change, announce_inserted_urls, announce_updated_urls, announce_renamed_url,
      announce_deleted_urls, announce_truncated_urls, notify_url_changes, remember_removed_urls;
    drop table url_removals;
    alter table urls drop changed_in, alter code_is_generated drop default;
    revoke usage on sequence url_versions from public;
    alter sequence url_versions increment by 1`);
}
