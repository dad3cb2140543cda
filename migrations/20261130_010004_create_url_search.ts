import type { Knex } from 'knex';

/** Indexes of lists, filters and search. A query uses the index of an expression only if it repeats the expression exactly.
 *
 *  Search reads `search_text`; rows without one are searched in their stored columns, through a smaller index of those rows only.
 *  Without the extension pg_trgm a search reads the whole table. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    -- A line break separates the fields: search terms contain no control characters, so none matches across two fields.
    create function stored_search_text(short_code text, title text, original_url text) returns text
      language sql immutable parallel safe
      as $$ select short_code || e'\\n' || coalesce(title, '') || e'\\n' || original_url $$;
    -- In lower case, without user and port; cut, because an index entry has a size limit and other programs may write any text.
    create function host_of(original_url text) returns text
      language sql immutable parallel safe
      as $$ select lower(left(substring(
        split_part(split_part(original_url, '/', 3), '@', -1) from '^(\\[[^]]*\\]|[^\\?#:]+)'
      ), 255)) $$;
    -- The planner needs the number of different hosts for summaries by host.
    create statistics urls_authority on (split_part(original_url, '/', 3)) from urls;
    create index urls_host on urls (host_of(original_url));
    create index urls_tags on urls using gin (tags) where tags <> '{}';
    create index urls_created on urls (created_at, id);
    create index urls_created_by on urls (created_by, created_at, id);
    -- Not a hash index: it becomes slow where many short URLs have the same original URL.
    create index urls_original_url on urls (hashtextextended(original_url, 0), created_by);
    create index urls_without_search_text on urls (id) where search_text is null;

    create function reset_search_text() returns trigger language plpgsql as $$
      begin
        new.search_text := null;
        return new;
      end $$;
    -- Triggers fire in the order of their names: this one fires after mark_url_change, which compares what the statement itself changed.
    create trigger reset_search_text before update on urls for each row
      when (new.search_text is not distinct from old.search_text
        and (new.short_code, new.original_url, new.title, new.tags)
          is distinct from (old.short_code, old.original_url, old.title, old.tags))
      execute function reset_search_text()`);
  await indexTrigrams(db);
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    drop index if exists urls_stored_search_text, urls_search_text;
    drop trigger reset_search_text on urls;
    drop function reset_search_text;
    drop index urls_without_search_text, urls_original_url, urls_created_by, urls_created, urls_tags, urls_host;
    drop statistics urls_authority;
    drop function host_of, stored_search_text;
    do $$ begin
      drop extension if exists pg_trgm;
    exception when dependent_objects_still_exist or insufficient_privilege then
      -- Others use it.
      null;
    end $$`);
}

/** Creates the trigram indexes where the extension exists or may be created; search works without them. */
async function indexTrigrams(db: Knex): Promise<void> {
  await db.raw(`
    do $$ begin
      create extension if not exists pg_trgm;
    exception when insufficient_privilege or feature_not_supported or undefined_file then
      null;
    end $$`);
  const { rows } = await db.raw<{ rows: { schema: string }[] }>(
    `select quote_ident(nspname) as schema from pg_extension e join pg_namespace n on n.oid = e.extnamespace
     where extname = 'pg_trgm' and has_schema_privilege(n.oid, 'usage')`,
  );
  const [extension] = rows;
  if (!extension) {
    process.emitWarning(
      'pg_trgm cannot be created, or its schema may not be used: searches will read the whole table',
    );
    return;
  }
  const opclass = `${extension.schema}.gin_trgm_ops`;
  await db.raw(`
    create index urls_search_text on urls using gin (search_text ${opclass});
    create index urls_stored_search_text on urls
      using gin (stored_search_text(short_code, title, original_url) ${opclass}) where search_text is null`);
}
