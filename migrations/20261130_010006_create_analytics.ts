import type { Knex } from 'knex';

/** Click analytics. Every metric is updated in the transaction that counts the click, under the lock of the row in `url_stats`.
 *  `analytics_clicks` there says how many clicks of `click_count` the roll-ups contain. For each short URL, `analytics_clicks` = the sum
 *  of `url_clicks_hourly` = the sum of `url_clicks_daily` over the values of each dimension. No table has a foreign key, whose check
 *  would cost a look-up and a lock per row; triggers note deleted short URLs. Hours and days are in UTC.
 *
 *  `url_clicks_hourly`: clicks, and those by bots, per quarter of an hour, because days and hours of every time zone begin at one. One
 *  row per quarter would be four times the rows. `event_clicks` of the clicks are also in `url_analytics`, while it keeps that day.
 *  `url_clicks_quarter_hourly`: a view with one row per quarter.
 *  `url_clicks_daily`: clicks per day and value of each dimension; '' is unknown, '*' is every value above the limit.
 *  `url_analytics`: click events, whose visitor is 16 hexadecimal digits as a number. Equal clicks of one minute that were counted
 *  together share a row. One partition per day, and a default partition. Rows before `events_since` are removed. `applied_in` is the
 *  transaction that counted the click: a reader that has seen all transactions before one has missed no click. `bot_kind` is search,
 *  preview, ai, monitor, feed or other, and empty for people and unknown bots.
 *  `url_visitors_daily`: unique visitors per day, people and bots, written when the click events of that day are removed.
 *  `url_bots_daily`: clicks of bots by kind.
 *  `visitor_salts`: the secret of a day for visitor IDs; it is removed 48 hours after the day began.
 *  `unknown_codes_daily`: requests for short codes that do not exist; '*' is every code above the limit.
 *  `analytics_removals`: deleted short URLs whose analytics remain to be removed. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table url_clicks_hourly (
      url_id bigint not null,
      hour timestamptz not null,
      clicks_00 bigint not null, clicks_15 bigint not null, clicks_30 bigint not null, clicks_45 bigint not null,
      bots_00 bigint not null, bots_15 bigint not null, bots_30 bigint not null, bots_45 bigint not null,
      event_clicks bigint not null,
      primary key (url_id, hour)
    ) with (fillfactor = 80);
    create view url_clicks_quarter_hourly as
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
    -- For queries of all short URLs. Rows are inserted in the order of time, so a few bytes per range of pages are enough, and counting
    -- does not change the index.
    create index url_clicks_hourly_hour on url_clicks_hourly using brin (hour) with (pages_per_range = 32, autosummarize = on);
    create index url_clicks_daily_day on url_clicks_daily using brin (day) with (pages_per_range = 32, autosummarize = on);

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
      device text collate "C" not null,
      applied_in xid8 default pg_current_xact_id(),
      bot_kind text collate "C" not null default ''
    ) partition by range (at);
    create index url_analytics_url_at on url_analytics (url_id, at);
    create index url_analytics_applied_in on url_analytics (applied_in);
    create table url_analytics_other_days partition of url_analytics default;
    create table analytics_state (
      only_row boolean primary key default true check (only_row),
      events_since timestamptz not null default '-infinity'
    );
    insert into analytics_state default values;
    create table url_visitors_daily (
      url_id bigint not null,
      day date not null,
      people bigint not null,
      bots bigint not null,
      primary key (url_id, day)
    );
    create table url_bots_daily (
      url_id bigint not null,
      day date not null,
      kind text collate "C" not null,
      clicks bigint not null,
      primary key (url_id, day, kind)
    ) with (fillfactor = 80);
    create table visitor_salts (day date primary key, salt bytea not null);
    create table unknown_codes_daily (
      day date not null,
      short_code text collate "C" not null,
      requests bigint not null,
      primary key (day, short_code)
    ) with (fillfactor = 80);
    create table analytics_removals (url_id bigint primary key)`);
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    drop view url_clicks_quarter_hourly;
    drop table analytics_removals, unknown_codes_daily, visitor_salts, url_bots_daily, url_visitors_daily, analytics_state,
      url_analytics, url_clicks_daily, url_clicks_hourly;
    drop type click_dimension`);
}
