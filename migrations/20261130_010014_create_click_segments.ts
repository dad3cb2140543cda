import type { Knex } from 'knex';

const dimensions = ['country', 'referrer', 'browser', 'os', 'device'] as const;
const day = `cast(at at time zone 'UTC' as date)`;
const values = `cross join lateral (values
        ${dimensions.map((name) => `(cast('${name}' as click_dimension), ${name})`).join(', ')}
      ) as part (dimension, value)`;
const bots = 'case when is_bot then clicks else 0 end';
/** Click events that are not rolled up yet. `first_at` keeps partitions of other days from being read. */
const isPending = `segment >= (select min(segment) from analytics_segments)
        and at >= (select min(first_at) from analytics_segments)`;

/** Clicks are rolled up by day in segments: one transaction for half a million clicks or an hour, instead of one for each flush, changes
 *  far fewer rows. A click belongs to the segment that was open when it was counted. Click events of a release without segments have
 *  segment 0, and are rolled up already.
 *
 *  `analytics_segments`: those that are not rolled up; the last one is open. `clicks_before` is the number of clicks in the ledger when it
 *  opened; none of its click events is before `first_at`.
 *  `url_pending_clicks`: clicks without a click event, and those whose event came a day late and has segment 0, until they are rolled up.
 *  `url_clicks_by_day`, `url_bots_by_day`: the roll-ups and all clicks that are not rolled up. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    alter table url_analytics add column segment integer not null default 0;
    create table analytics_segments (
      segment integer primary key,
      opened_at timestamptz not null default now(),
      clicks_before bigint not null,
      first_at timestamptz not null default 'infinity'
    ) with (fillfactor = 50);
    insert into analytics_segments (segment, clicks_before) values (1, 0);
    create table url_pending_clicks (
      segment integer not null,
      url_id bigint not null,
      day date not null,
      clicks bigint not null,
      is_bot boolean not null,
      bot_kind text collate "C" not null,
      ${dimensions.map((name) => `${name} text collate "C" not null`).join(', ')}
    );
    create index url_pending_clicks_url_id on url_pending_clicks (url_id);
    -- With "truncate urls", as for the other tables of the analytics: ids may be assigned again.
    create function truncate_pending_clicks() returns trigger language plpgsql
      security definer set search_path to pg_catalog, pg_temp as $$
      begin
        perform set_config('search_path', quote_ident(tg_table_schema) || ', pg_temp', true);
        truncate url_pending_clicks;
        return null;
      end $$;
    revoke all on function truncate_pending_clicks from public;
    create trigger truncate_pending_clicks after truncate on urls
      for each statement execute function truncate_pending_clicks();
    create view url_clicks_by_day as
      select url_id, day, dimension, value, clicks, bots from url_clicks_daily
      union all
      select url_id, day, dimension, value, clicks, ${bots} from url_pending_clicks ${values}
      union all
      select url_id, ${day}, dimension, value, clicks, ${bots} from url_analytics ${values} where ${isPending};
    create view url_bots_by_day as
      select url_id, day, kind, clicks from url_bots_daily
      union all
      select url_id, day, bot_kind, clicks from url_pending_clicks where bot_kind <> ''
      union all
      select url_id, ${day}, bot_kind, clicks from url_analytics where bot_kind <> '' and ${isPending}`);
}

/** Rolls up what is pending, beyond the limit of values. */
export async function down(db: Knex): Promise<void> {
  await db.raw(`
    lock table url_analytics, url_pending_clicks in share mode;
    create temporary table pending on commit drop as
      select url_id, day, clicks, is_bot, bot_kind, ${dimensions.join(', ')} from url_pending_clicks
      union all
      select url_id, ${day}, clicks, is_bot, bot_kind, ${dimensions.join(', ')} from url_analytics where ${isPending};
    ${dimensions
      .map(
        (name) => `
          insert into url_clicks_daily as known (url_id, day, dimension, value, clicks, bots)
          select url_id, day, '${name}', ${name}, sum(clicks), sum(${bots}) from pending group by 1, 2, 4
          on conflict (url_id, dimension, day, value) do update set
            clicks = known.clicks + excluded.clicks, bots = known.bots + excluded.bots;`,
      )
      .join('')}
    insert into url_bots_daily as known (url_id, day, kind, clicks)
    select url_id, day, bot_kind, sum(clicks) from pending where bot_kind <> '' group by 1, 2, 3
    on conflict (url_id, day, kind) do update set clicks = known.clicks + excluded.clicks;
    drop trigger truncate_pending_clicks on urls;
    drop function truncate_pending_clicks;
    drop view url_clicks_by_day, url_bots_by_day;
    drop table analytics_segments, url_pending_clicks;
    alter table url_analytics drop column segment`);
}
