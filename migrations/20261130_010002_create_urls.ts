import type { Knex } from 'knex';

/** Short URLs. Every change takes a higher version from one sequence; the cache protocol relies on it. Versions are odd, so that a removal
 *  can have the even version between two of them.
 *
 *  Counters are separate: small rows with free space on each page and no index on counted columns, so that a flush updates them in
 *  place and does not change a short URL's version. The same holds for `url_usage`, which counts visits of limited short URLs.
 *
 *  `has_ended`: the clean-up disabled the short URL because it had expired. A deleted short URL keeps `is_active`. `search_text` is null
 *  where another program wrote the row; the job `fill-search-texts` fills it. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create sequence url_versions as bigint increment by 2;
    grant usage on sequence url_versions to public;
    create table urls (
      id bigint generated always as identity primary key,
      short_code text collate "C" not null unique,
      original_url text not null,
      code_is_generated boolean not null default false,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      created_by bigint references api_keys (id),
      expires_at timestamptz,
      is_active boolean not null default true,
      deleted_at timestamptz,
      version bigint not null default nextval('url_versions'),
      changed_in xid8,
      starts_at timestamptz,
      max_clicks bigint check (max_clicks > 0),
      is_one_time boolean not null default false,
      password_hash text,
      fallback_url text,
      redirect_status smallint check (redirect_status in (301, 302, 307, 308)),
      redirect_max_age_seconds integer check (redirect_max_age_seconds >= 0),
      forward_query boolean not null default false,
      crawlable boolean not null default false,
      title text,
      notes text,
      tags text[] not null default '{}',
      has_ended boolean not null default false,
      search_text text,
      constraint urls_starts_at_before_expires_at check (starts_at < expires_at),
      constraint urls_one_time_max_clicks check (not is_one_time or max_clicks is null or max_clicks = 1)
    );
    create index urls_changed_in on urls (changed_in, short_code) where changed_in is not null;
    create index urls_crawlable on urls (id) where crawlable;
    create index urls_to_expire on urls (expires_at) where is_active and expires_at is not null;
    create index urls_to_purge_expired on urls (expires_at) where not is_active and expires_at is not null;
    create index urls_to_purge_deleted on urls (deleted_at) where deleted_at is not null;

    create table url_stats (
      url_id bigint primary key references urls (id) on delete cascade,
      click_count bigint not null default 0,
      last_accessed_at timestamptz,
      analytics_clicks bigint not null default 0
    ) with (fillfactor = 70);
    create table url_usage (
      url_id bigint primary key references urls (id) on delete cascade,
      clicks bigint not null,
      claimed bigint not null default 0
    ) with (fillfactor = 70);

    create function clear_has_ended() returns trigger language plpgsql as $$
      begin
        new.has_ended := false;
        return new;
      end $$;
    create trigger clear_has_ended before update on urls for each row
      when (new.is_active and new.has_ended) execute function clear_has_ended();

    create function reject_unusable_url() returns trigger language plpgsql as $$
      begin
        raise check_violation using constraint = tg_argv[0], table = tg_table_name, column = tg_argv[1],
          message = format('%s of a short URL cannot be used by Linkmill', tg_argv[1]);
      end $$`);
  for (const [name, { column, when }] of Object.entries(unusable)) {
    const reject = `execute function reject_unusable_url('${name}', '${column}')`;
    await db.raw(
      `
      create trigger ${name}_insert before insert on urls for each row when (${when}) ${reject};
      create trigger ${name}_update before update of ${column} on urls for each row
        when (new.${column} is distinct from old.${column} and (${when})) ${reject}`.replaceAll('?', '\\?'),
    );
  }
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    drop table url_usage, url_stats, urls;
    drop function reject_unusable_url, clear_has_ended;
    drop sequence url_versions`);
}

/** Values that no program may write: URLs that are too long or not safe to follow, times and versions out of range. These are triggers,
 *  because a check constraint would also reject every later change of an invalid row. The URL parser still validates each row it reads. */
const unusable: Record<string, { column: string; when: string }> = {
  urls_original_url_usable: { column: 'original_url', when: isUnusableUrl('new.original_url') },
  urls_fallback_url_usable: { column: 'fallback_url', when: isUnusableUrl('new.fallback_url') },
  urls_created_at_usable: {
    column: 'created_at',
    when: `new.created_at < '0001-01-01 00:00:00+00' or new.created_at > '9999-12-31 23:59:59.999999+00'`,
  },
  urls_version_usable: { column: 'version', when: 'new.version not between 1 and 9007199254740991' },
};

/** URL parsers ignore leading control characters and spaces, and all tabs and line breaks. */
function isUnusableUrl(column: string): string {
  const bare = `translate(ltrim(left(${column}, 256), e'\\x01\\x02\\x03\\x04\\x05\\x06\\x07\\x08\\x0b\\x0c\\x0e\\x0f\\x1b\\x1f \\t\\r\\n'), e'\\t\\r\\n', '')`;
  return `length(${column}) > 32768 or ${bare} !~* '^[a-z][a-z0-9+.-]*:'
    or ${bare} ~* '^(about|blob|data|file|filesystem|javascript|jar|vbscript|view-source):'`;
}
