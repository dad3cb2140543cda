import { type Knex, onlyRow } from '../../storage/postgres/postgres.ts';

/** A metric of a short URL that differs from its expected value. */
export interface AuditDifference {
  shortCode: string;
  /** Such as "clicks by hour", "bots by country", "click events". */
  metric: string;
  expected: number;
  found: number;
}

/** Clicks in the analytics, according to the counters of short URLs. */
export interface AnalyticsTotals {
  clicks: number;
  /** Clicks without analytics: counted before the analytics existed, or by an earlier release. */
  without: number;
}

export async function readAnalyticsTotals(db: Knex): Promise<AnalyticsTotals> {
  return onlyRow(
    await db.raw<{ rows: AnalyticsTotals[] }>(
      `select cast(coalesce(sum(analytics_clicks), 0) as bigint) as clicks,
              cast(coalesce(sum(click_count - analytics_clicks), 0) as bigint) as without
       from url_stats`,
    ),
  );
}

/** Compares the counter of each short URL with its roll-ups by hour and by dimension, and its click events within their retention with the
 *  roll-ups by hour. Resolves to the differences of all short URLs, or of those with IDs above `after` up to `last` that are in `ids`, if given:
 *  at most 1,000. */
export async function differencesIn(
  trx: Knex,
  slice?: { after: number; last: number; ids?: number[] },
): Promise<AuditDifference[]> {
  const filter = (column: string) => {
    if (slice === undefined) return 'true';
    return slice.ids === undefined
      ? `${column} > :after and ${column} <= :last`
      : `${column} = any(cast(:ids as bigint[]))`;
  };
  return (await trx.raw<{ rows: AuditDifference[] }>(differencesSql(filter), { ...slice })).rows;
}

/** Excludes short URLs with a pending removal: another program has restored them with the old counters. */
const differencesSql = (filter: (column: string) => string) => `
  with hourly as materialized (
    select url_id, sum(clicks_00 + clicks_15 + clicks_30 + clicks_45) as clicks,
           sum(bots_00 + bots_15 + bots_30 + bots_45) as bots,
           coalesce(sum(event_clicks) filter (where hour >= events_since), 0) as event_clicks
    from url_clicks_hourly, analytics_state where ${filter('url_id')} group by url_id
  ), daily as materialized (
    select url_id, dimension, sum(clicks) as clicks, sum(bots) as bots from url_clicks_by_day
    where ${filter('url_id')} group by url_id, dimension
  ), kinds as materialized (
    select url_id, sum(clicks) as clicks from url_bots_by_day where ${filter('url_id')} group by url_id
  ), kept as materialized (
    select url_id, sum(clicks) as clicks from url_analytics, analytics_state
    where at >= events_since and ${filter('url_id')} group by url_id
  ), url as materialized (
    select id, short_code, analytics_clicks from urls join url_stats on url_id = id
    where id not in (select url_id from analytics_removals) and ${filter('id')} and ${filter('url_id')}
      -- Short URLs that were never clicked, often most of them, have nothing to compare.
      and (analytics_clicks <> 0 or id in (
        select url_id from hourly union all select url_id from daily
        union all select url_id from kinds union all select url_id from kept))
  ), compared as (
    select id, short_code, 'clicks by hour' as metric, analytics_clicks as expected, clicks as found
    from url left join hourly on url_id = id
    union all
    select id, short_code, 'click events', event_clicks, kept.clicks
    from url left join hourly on hourly.url_id = id left join kept on kept.url_id = id
    union all
    select id, short_code, 'clicks by ' || part.dimension, analytics_clicks, daily.clicks
    from url cross join unnest(enum_range(cast(null as click_dimension))) as part (dimension)
      left join daily on daily.url_id = id and daily.dimension = part.dimension
    union all
    select id, short_code, 'bots by ' || part.dimension, hourly.bots, daily.bots
    from url cross join unnest(enum_range(cast(null as click_dimension))) as part (dimension)
      left join hourly on hourly.url_id = id
      left join daily on daily.url_id = id and daily.dimension = part.dimension
    union all
    -- Earlier releases count bots without their kinds.
    select id, short_code, 'bots by kind', least(kinds.clicks, coalesce(hourly.bots, 0)), kinds.clicks
    from url join kinds on kinds.url_id = id left join hourly on hourly.url_id = id
  )
  select short_code as "shortCode", metric, cast(coalesce(expected, 0) as bigint) as expected,
         cast(coalesce(found, 0) as bigint) as found
  from compared where coalesce(expected, 0) <> coalesce(found, 0)
  order by short_code, metric limit 1000`;
