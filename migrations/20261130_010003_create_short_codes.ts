import type { Knex } from 'knex';

/** Short codes that are not the current code of a short URL: the key generator (one row) and every block of numbers it handed out; codes
 *  reserved for an API key, until `reserved_until` if set; generated codes that return to the pool at `available_at`; and old codes of
 *  renamed short URLs, which redirect like the current code.
 *
 *  A code is in `urls` or in `url_aliases`, never in both: a trigger checks it after each insert and rename, once all transactions that
 *  released the code have ended. `url_aliases` has no foreign key, because a TRUNCATE by another program would then need rights on it;
 *  triggers remove its rows instead. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table key_generator (
      only_row boolean primary key default true check (only_row),
      secret bytea not null check (length(secret) = 32),
      code_length smallint not null default 7 check (code_length between 4 and 8),
      next_number bigint not null default 0
    );
    insert into key_generator (secret) values (
      decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex'));
    create table key_blocks (
      first_number bigint primary key,
      size integer not null check (size > 0),
      purpose text not null,
      reserved_at timestamptz not null default now()
    );
    create table reserved_keys (
      short_code text collate "C" primary key,
      api_key_id bigint not null references api_keys (id),
      reserved_at timestamptz not null default now(),
      reserved_until timestamptz
    );
    create index reserved_keys_reserved_until on reserved_keys (reserved_until) where reserved_until is not null;
    create table returned_keys (
      short_code text collate "C" primary key,
      available_at timestamptz not null
    );
    create index returned_keys_available_at on returned_keys (available_at);
    create table url_aliases (
      short_code text collate "C" primary key,
      url_id bigint not null,
      created_at timestamptz not null default now()
    );
    create index url_aliases_url_id on url_aliases (url_id);

    create function reject_taken_codes(codes text[], creators bigint[]) returns void language plpgsql as $$
      declare
        taken text;
      begin
        -- Scalar subqueries: an index look-up for each code, however large the tables are.
        select code into taken from unnest(codes, creators) as wanted (code, creator)
        where (select true from url_aliases a where a.short_code = code)
          or ${isLinkmill} and (
            select r.api_key_id <> creator and (r.reserved_until is null or r.reserved_until > now())
            from reserved_keys r where r.short_code = code)
        limit 1;
        if taken is not null then
          raise unique_violation using constraint = 'urls_short_code_free', table = 'urls', column = 'short_code',
            message = format('the short code %s is an old code of a short URL, or reserved', taken);
        end if;
      end $$;

    ${triggerFunction('reject_taken_code_on_insert')}
        perform reject_taken_codes(array_agg(short_code), array_agg(created_by)) from inserted;
        return null;
      end $$;

    ${triggerFunction('reject_taken_code_on_rename')}
        perform reject_taken_codes(array[new.short_code], array[new.created_by]);
        return null;
      end $$;

    ${triggerFunction('notify_changed_aliases', 'codes text[]; versions bigint[];')}
        -- Dynamic SQL: a cached plan for one row would be slow for many.
        execute 'select array_agg(a.short_code), array_agg(u.version)
          from updated u join url_aliases a on a.url_id = u.id' into codes, versions;
        if codes is not null then perform notify_url_changes(codes, versions); end if;
        return null;
      end $$;

    ${triggerFunction('remove_deleted_aliases', 'codes text[]; versions bigint[];')}
        execute 'with removed as (
            delete from url_aliases a using deleted d where a.url_id = d.id returning a.short_code
          ) select array_agg(short_code), array_agg(nextval(''url_versions'')) from removed' into codes, versions;
        if codes is not null then
          perform record_url_removals(codes, versions);
          perform notify_url_changes(codes, versions);
        end if;
        return null;
      end $$;

    ${triggerFunction('remove_truncated_aliases')}
        delete from url_aliases;
        return null;
      end $$;

    revoke all on function reject_taken_codes, ${triggerFunctions.join(', ')} from public;

    create trigger reject_taken_code_on_insert after insert on urls referencing new table as inserted
      for each statement execute function reject_taken_code_on_insert();
    create trigger reject_taken_code_on_rename after update of short_code on urls for each row
      when (new.short_code <> old.short_code) execute function reject_taken_code_on_rename();
    create trigger notify_changed_aliases after update on urls referencing new table as updated
      for each statement execute function notify_changed_aliases();
    create trigger remove_deleted_aliases after delete on urls referencing old table as deleted
      for each statement execute function remove_deleted_aliases();
    create trigger remove_truncated_aliases after truncate on urls
      for each statement execute function remove_truncated_aliases()`);
}

export async function down(db: Knex): Promise<void> {
  for (const name of triggerFunctions) await db.raw(`drop trigger ${name} on urls; drop function ${name}`);
  await db.raw(`
    drop function reject_taken_codes;
    drop table url_aliases, returned_keys, reserved_keys, key_blocks, key_generator`);
}

/** Other programs may insert reserved codes. */
const isLinkmill = `current_setting('application_name') like 'linkmill-%'`;

/** Each function has the name of its trigger. */
const triggerFunctions = [
  'reject_taken_code_on_insert',
  'reject_taken_code_on_rename',
  'notify_changed_aliases',
  'remove_deleted_aliases',
  'remove_truncated_aliases',
];

/** The beginning of a function that runs with the rights of the tables' owner, in the schema of the table that fired. */
function triggerFunction(name: string, declared = ''): string {
  return `create function ${name}() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
      ${declared && `declare ${declared}\n      `}begin
        perform set_config('search_path', quote_ident(tg_table_schema) || ', pg_temp', true);`;
}
