import type { Knex } from 'knex';

/** Keeps caches, counters and analytics consistent with other programs that write to `urls`. Every change gets a higher version and notes
 *  its transaction. Statements of connections that are not Linkmill's ("linkmill-…") are notified on the channel `linkmill_urls`, as
 *  "version:short code" separated by spaces, or as "*" for more than 10,000 short URLs. A removed row leaves its code in
 *  `url_removals`; a TRUNCATE leaves the code "*".
 *
 *  Clicks of removed short URLs are added to `click_ledger_totals.purged_clicks`. A statement sums them up in a setting of its transaction,
 *  because `click_ledger_totals` is one row: one update per short URL would be slow for many.
 *
 *  All functions find the tables in the schema of the table that fired, so that the schema can be renamed. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table url_removals (
      short_code text collate "C" primary key,
      version bigint not null,
      removed_in xid8 not null default pg_current_xact_id(),
      removed_at timestamptz not null default now()
    );
    create index url_removals_removed_in on url_removals (removed_in, short_code);

    create function record_url_removals(codes text[], versions bigint[]) returns void language plpgsql as $$
      begin
        insert into url_removals (short_code, version)
        select code, version from unnest(codes, versions) as removed (code, version) order by code
        on conflict (short_code) do update set
          version = greatest(url_removals.version, excluded.version),
          removed_in = excluded.removed_in, removed_at = excluded.removed_at;
      end $$;

    -- Callers pass at most 10,001 short URLs, which is enough to send "*". A notification may have 8,000 bytes.
    create function notify_url_changes(codes text[], versions bigint[]) returns void language plpgsql as $$
      begin
        if cardinality(codes) > 10000 then
          perform pg_notify('linkmill_urls', '*');
        else
          perform pg_notify('linkmill_urls', message.text) from (select string_agg(version || ':' || code, ' ')
         from (
           select code, version,
             sum(octet_length(code) + 18) over (order by place) / 7000 as message
           from unnest(codes, versions) with ordinality as changed (code, version, place)
           where code ~ '^[^[:cntrl:][:space:]/%#]{1,64}$'
         ) as parts
         group by message) as message (text);
        end if;
      end $$;

    ${triggerFunction('mark_url_change')}
        if new.version <= old.version or ${isExternal} then
          new.version := nextval('url_versions');
          new.updated_at := now();
        end if;
        new.changed_in := pg_current_xact_id();
        return new;
      end $$;

    ${triggerFunction('notify_inserted_urls')}
        insert into url_stats (url_id) select id from inserted on conflict do nothing;
        -- A row restored with its old version needs one above its removal. Dynamic SQL: a cached plan for one row would be slow
        -- for many.
        execute 'update urls set version = nextval(''url_versions'') from inserted i join url_removals r
          on r.short_code in (i.short_code, ''*'') and r.version >= i.version
          where urls.id = i.id';
        perform notify_url_changes(array_agg(short_code), array_agg(version)) from (table inserted limit 10001) as first_ones;
        return null;
      end $$;

    ${triggerFunction('notify_updated_urls')}
        perform notify_url_changes(array_agg(short_code), array_agg(version)) from (table updated limit 10001) as first_ones;
        return null;
      end $$;

    ${triggerFunction('notify_renamed_url')}
        perform record_url_removals(array[old.short_code], array[old.version + 1]);
        perform notify_url_changes(array[old.short_code], array[old.version + 1]);
        return null;
      end $$;

    ${triggerFunction('notify_deleted_urls')}
        perform record_url_removals(array_agg(short_code), array_agg(version + 1)) from deleted;
        perform notify_url_changes(array_agg(short_code), array_agg(version + 1)) from (table deleted limit 10001) as first_ones;
        return null;
      end $$;

    ${triggerFunction('notify_truncated_urls')}
        perform record_url_removals(array['*'], array[nextval('url_versions')]);
        perform pg_notify('linkmill_urls', '*');
        return null;
      end $$;

    ${triggerFunction('sum_purged_clicks')}
        perform set_config('linkmill.purged_clicks', cast(${purgedClicks} + old.click_count as text), true);
        return old;
      end $$;

    ${triggerFunction('record_purged_clicks')}
        update click_ledger_totals set purged_clicks = purged_clicks + ${purgedClicks} where ${purgedClicks} > 0;
        perform set_config('linkmill.purged_clicks', '0', true);
        return null;
      end $$;

    ${triggerFunction('record_truncated_clicks')}
        update click_ledger_totals
        set purged_clicks = purged_clicks + (select coalesce(sum(click_count), 0) from url_stats);
        return null;
      end $$;

    ${triggerFunction('record_analytics_removals')}
        insert into analytics_removals (url_id) select id from deleted order by id on conflict do nothing;
        return null;
      end $$;

    -- Immediately: their ids may be assigned again.
    ${triggerFunction('truncate_analytics')}
        truncate url_clicks_hourly, url_clicks_daily, url_analytics, url_visitors_daily, url_bots_daily, analytics_removals;
        return null;
      end $$;

    -- A trigger fires without rights on its function. A role with rights could attach it to a table of its own, and have codes of its
    -- choice notified and removed.
    revoke all on function record_url_removals, notify_url_changes, ${triggerFunctions.join(', ')} from public;

    -- Filling search_text is not a change of the short URL: version and updated_at stay.
    create trigger mark_url_change before update on urls for each row
      when (new.* is distinct from old.*
        and (old.search_text is not null or new.search_text is null or new.version <> old.version))
      execute function mark_url_change();
    create trigger notify_inserted_urls after insert on urls referencing new table as inserted
      when (${isExternal}) execute function notify_inserted_urls();
    create trigger notify_updated_urls after update on urls referencing new table as updated
      when (${isExternal}) execute function notify_updated_urls();
    create trigger notify_renamed_url after update on urls for each row
      when (new.short_code <> old.short_code) execute function notify_renamed_url();
    create trigger notify_deleted_urls after delete on urls referencing old table as deleted
      when (${isExternal}) execute function notify_deleted_urls();
    create trigger notify_truncated_urls after truncate on urls
      when (${isExternal}) execute function notify_truncated_urls();

    -- Before: an after trigger of the cascaded deletion would fire after that of urls.
    create trigger sum_purged_clicks before delete on url_stats for each row
      when (${isExternal}) execute function sum_purged_clicks();
    create trigger record_purged_clicks after delete on urls
      when (${isExternal}) execute function record_purged_clicks();
    create trigger record_truncated_clicks before truncate on url_stats
      when (${isExternal}) execute function record_truncated_clicks();

    create trigger record_analytics_removals after delete on urls referencing old table as deleted
      execute function record_analytics_removals();
    create trigger truncate_analytics after truncate on urls execute function truncate_analytics()`);
}

export async function down(db: Knex): Promise<void> {
  // With their triggers.
  await db.raw(`
    drop function ${triggerFunctions.join(', ')} cascade;
    drop function notify_url_changes, record_url_removals;
    drop table url_removals`);
}

const isExternal = `current_setting('application_name') not like 'linkmill-%'`;
const purgedClicks = `cast(coalesce(nullif(current_setting('linkmill.purged_clicks', true), ''), '0') as bigint)`;

const triggerFunctions = [
  'mark_url_change',
  'notify_inserted_urls',
  'notify_updated_urls',
  'notify_renamed_url',
  'notify_deleted_urls',
  'notify_truncated_urls',
  'sum_purged_clicks',
  'record_purged_clicks',
  'record_truncated_clicks',
  'record_analytics_removals',
  'truncate_analytics',
];

/** The beginning of a function that runs with the rights of the tables' owner, because other programs have rights on `urls` only. */
function triggerFunction(name: string): string {
  return `create function ${name}() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
      begin
        perform set_config('search_path', quote_ident(tg_table_schema) || ', pg_temp', true);`;
}
