import type { Knex } from 'knex';

/** Click analytics. Each of these figures changes in the transaction that counts the click, under the lock of its row in
 *  `url_stats`, where `analytics_clicks` says how many of `click_count` they hold: those counted before, or by an earlier
 *  release, are in none. For each short URL, `analytics_clicks` = the sum of `url_clicks_hourly` = the sum of `url_clicks_daily`
 *  over the values of each dimension. No table has a foreign key, whose check would cost a look-up and a lock for each row: the
 *  triggers note which short URLs are gone. Hours and days are those of UTC.
 *
 *  `url_clicks_hourly`: clicks, and the part of them that bots made, in each quarter of an hour, since every time zone's days
 *  and hours begin at one; a row for each quarter would be four times the rows. `row_clicks` of its clicks are in
 *  `url_analytics`, too, as long as that keeps rows of this day. `url_clicks_quarterly` shows each quarter as a row.
 *  `url_clicks_daily`: clicks of a day by each value of each dimension; '' is unknown, '*' what came beyond the greatest number
 *  of values.
 *  `url_analytics`: clicks that have a visitor (whose sixteen hexadecimal digits it has as a number), one row for those that are
 *  alike within a minute and were counted together. A partition per day; the one for other days takes what no partition was made
 *  for. Rows before `rows_since` are not kept.
 *  `url_visitors_daily`: different visitors of a day, people and bots, written when its rows go.
 *  `unknown_codes_daily`: requests for short codes that nobody has; '*' is what came beyond the greatest number of codes.
 *  `analytics_removals`: short URLs that are gone and whose figures are to go. */
export async function up(db: Knex): Promise<void> {
  const { rows } = await db.raw<{ rows: [{ schema: string }] }>(
    'select quote_ident(current_schema()) as schema',
  );
  const asOwner = `language plpgsql security definer set search_path = ${rows[0].schema}, pg_temp`;
  await db.raw(`
    create table url_clicks_hourly (
      url_id bigint not null,
      hour timestamptz not null,
      clicks_00 bigint not null, clicks_15 bigint not null, clicks_30 bigint not null, clicks_45 bigint not null,
      bots_00 bigint not null, bots_15 bigint not null, bots_30 bigint not null, bots_45 bigint not null,
      row_clicks bigint not null,
      primary key (url_id, hour)
    ) with (fillfactor = 80);
    create view url_clicks_quarterly as
      select url_id, hour, hour + after as at, clicks, bots
      from url_clicks_hourly cross join lateral (values
        (interval '0 min', clicks_00, bots_00), (interval '15 min', clicks_15, bots_15),
        (interval '30 min', clicks_30, bots_30), (interval '45 min', clicks_45, bots_45)
      ) as quarter (after, clicks, bots)
      where clicks > 0;

    create type click_dimension as enum ('country', 'referrer', 'browser', 'os', 'device');
    create table url_clicks_daily (
      url_id bigint not null,
      day date not null,
      dimension click_dimension not null,
      value text collate "C" not null,
      clicks bigint not null,
      bots bigint not null,
      primary key (url_id, dimension, day, value)
    ) with (fillfactor = 80);

    create table url_analytics (
      url_id bigint not null,
      at timestamptz not null,
      visitor bigint not null,
      clicks bigint not null,
      is_bot boolean not null,
      country text collate "C" not null,
      referrer text collate "C" not null,
      browser text collate "C" not null,
      os text collate "C" not null,
      device text collate "C" not null
    ) partition by range (at);
    create index url_analytics_url_at on url_analytics (url_id, at);
    create table url_analytics_other_days partition of url_analytics default;
    create table analytics_state (
      only_row boolean primary key default true check (only_row),
      rows_since timestamptz not null default '-infinity'
    );
    insert into analytics_state default values;
    create table url_visitors_daily (
      url_id bigint not null,
      day date not null,
      people bigint not null,
      bots bigint not null,
      primary key (url_id, day)
    );

    create table unknown_codes_daily (
      day date not null,
      short_code text collate "C" not null,
      requests bigint not null,
      primary key (day, short_code)
    ) with (fillfactor = 80);

    create table analytics_removals (url_id bigint primary key);
    create function note_analytics_of_removed_urls() returns trigger ${asOwner} as $$
      begin
        insert into analytics_removals (url_id) select id from deleted order by id on conflict do nothing;
        return null;
      end $$;
    -- At once: their ids may come again.
    create function truncate_analytics() returns trigger ${asOwner} as $$
      begin
        truncate url_clicks_hourly, url_clicks_daily, url_analytics, url_visitors_daily, analytics_removals;
        return null;
      end $$;
    revoke all on function note_analytics_of_removed_urls, truncate_analytics from public;
    create trigger note_analytics after delete on urls referencing old table as deleted
      execute function note_analytics_of_removed_urls();
    create trigger truncate_analytics after truncate on urls execute function truncate_analytics();
    alter table url_stats add analytics_clicks bigint not null default 0`);
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    drop trigger note_analytics on urls;
    drop trigger truncate_analytics on urls;
    drop function note_analytics_of_removed_urls, truncate_analytics;
    alter table url_stats drop analytics_clicks;
    drop view url_clicks_quarterly;
    drop table url_clicks_hourly, url_clicks_daily, url_analytics, url_visitors_daily, analytics_state, unknown_codes_daily,
      analytics_removals;
    drop type click_dimension`);
}
