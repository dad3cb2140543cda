import type { Knex } from 'knex';

/** What short URLs are found by. An expression is served by its index only where a statement spells it as here. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    -- Control characters are in no text that is searched for: none is found across two fields.
    create function searched_text(short_code text, title text, original_url text) returns text
      language sql immutable parallel safe
      as $$ select short_code || e'\\n' || coalesce(title, '') || e'\\n' || original_url $$;
    -- In lower case, without user and port; cut, because an index takes no more of what other programs may write.
    create function host_of(original_url text) returns text
      language sql immutable parallel safe
      as $$ select lower(left(substring(
        split_part(split_part(original_url, '/', 3), '@', -1) from '^(\\[[^]]*\\]|[^\\?#:]+)'
      ), 255)) $$;
    -- That hosts are few is what a summary of them is planned by.
    create statistics urls_authority on (split_part(original_url, '/', 3)) from urls;
    create index urls_host on urls (host_of(original_url));
    create index urls_tags on urls using gin (tags) where tags <> '{}';
    create index urls_created on urls (created_at, id);
    create index urls_created_by on urls (created_by, created_at, id);
    drop index urls_created_at;
    -- Not a hash index: many short URLs may lead to one page, and each would be inserted behind all of them.
    create index urls_original_url on urls (hashtextextended(original_url, 0), created_by)`);
  await indexSearchedText(db);
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    create index urls_created_at on urls (created_at);
    drop index urls_original_url, urls_created_by, urls_created, urls_tags, urls_host;
    drop index if exists urls_searched_text;
    drop statistics urls_authority;
    drop function host_of, searched_text;
    do $$ begin
      drop extension if exists pg_trgm;
    exception when dependent_objects_still_exist or insufficient_privilege then
      -- Others use it.
      null;
    end $$`);
}

/** Makes the index of the search where the extension that it takes may be created, or is there; a search works without it. */
async function indexSearchedText(db: Knex): Promise<void> {
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
  await db.raw(
    `create index urls_searched_text on urls
       using gin (searched_text(short_code, title, original_url) ${extension.schema}.gin_trgm_ops)`,
  );
}
