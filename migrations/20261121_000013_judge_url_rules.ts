import type { Knex } from 'knex';

/** Rules between the settings of a short URL, which hold whoever changes it and however many at once; and which ones the
 *  clean-up has disabled since their time was over, as opposed to somebody; once one is active again, by whomever, that is
 *  forgotten. What is deleted keeps whether it was active. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    alter table urls
      add has_ended boolean not null default false,
      add constraint urls_start_before_end check (starts_at < expires_at) not valid,
      add constraint urls_one_time_once check (not is_one_time or max_clicks is null or max_clicks = 1) not valid;
    alter table urls validate constraint urls_start_before_end;
    alter table urls validate constraint urls_one_time_once;
    update urls set has_ended = true where not is_active and deleted_at is null and expires_at <= updated_at;
    update urls set is_active = true where not is_active and deleted_at is not null;
    create index urls_crawlable on urls (id) where crawlable;
    create function forget_url_end() returns trigger language plpgsql as $$
      begin
        new.has_ended := false;
        return new;
      end $$;
    create trigger forget_end before update on urls for each row
      when (new.is_active and new.has_ended) execute function forget_url_end()`);
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    drop trigger forget_end on urls;
    drop function forget_url_end;
    drop index urls_crawlable;
    update urls set is_active = false where deleted_at is not null;
    alter table urls
      drop constraint urls_one_time_once,
      drop constraint urls_start_before_end,
      drop has_ended`);
}
