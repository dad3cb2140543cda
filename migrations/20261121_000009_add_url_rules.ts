import type { Knex } from 'knex';

/** What a short URL may be besides a way to another one. How often a limited one was used stands apart, so that using it leaves
 *  its version alone. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    alter table urls
      add starts_at timestamptz,
      add max_clicks bigint check (max_clicks > 0),
      add is_one_time boolean not null default false,
      add password_hash text,
      add fallback_url text,
      add redirect_status smallint check (redirect_status in (301, 302, 307, 308)),
      add redirect_max_age_seconds integer check (redirect_max_age_seconds >= 0),
      add forward_query boolean not null default false,
      add crawlable boolean not null default false,
      add title text,
      add notes text,
      add tags text[] not null default '{}';
    create table url_uses (
      url_id bigint primary key references urls (id) on delete cascade,
      used bigint not null
    ) with (fillfactor = 70)`);
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    drop table url_uses;
    alter table urls
      drop starts_at, drop max_clicks, drop is_one_time, drop password_hash, drop fallback_url, drop redirect_status,
      drop redirect_max_age_seconds, drop forward_query, drop crawlable, drop title, drop notes, drop tags`);
}
