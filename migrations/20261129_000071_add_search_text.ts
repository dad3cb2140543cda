import type { Knex } from 'knex';

/** The text in which short URLs are searched, as people spell them: URLs are stored as machines spell them, and the locale of a database
 *  may know the case of ASCII letters only. The service writes the text together with the row. It is null where another program, or an
 *  older version, wrote the row; the job `fill-search-texts` fills it. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    alter table urls add search_text text;
    create function forget_search_text() returns trigger language plpgsql as $$
      begin
        new.search_text := null;
        return new;
      end $$;
    -- Its name is behind mark_change, which then sees what the statement itself changed.
    create trigger outdate_search_text before update on urls for each row
      when (new.search_text is not distinct from old.search_text
        and (new.short_code, new.original_url, new.title, new.tags)
          is distinct from (old.short_code, old.original_url, old.title, old.tags))
      execute function forget_search_text();
    drop trigger mark_change on urls;
    -- To fill the text is no change of a short URL: version and time of change stay.
    create trigger mark_change before update on urls for each row
      when (new.* is distinct from old.*
        and (old.search_text is not null or new.search_text is null or new.version <> old.version))
      execute function mark_url_change()`);
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    drop trigger mark_change on urls;
    create trigger mark_change before update on urls for each row
      when (new.* is distinct from old.*) execute function mark_url_change();
    drop trigger outdate_search_text on urls;
    drop function forget_search_text;
    alter table urls drop search_text`);
}
