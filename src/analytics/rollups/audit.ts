import type { Knex } from '../../storage/postgres/postgres.ts';

/** A figure of a short URL that is not what another one says it is. */
export interface UrlDifference {
  shortCode: string;
  /** Such as "clicks by hour", "bots by country", "rows". */
  figure: string;
  expected: number;
  found: number;
}

/** Whether the analytics add up, at one moment. */
export interface AnalyticsAudit {
  /** Clicks that the analytics have, by the counters of short URLs. */
  clicks: number;
  /** Clicks that they do not have: counted before there were any, or by an earlier release. */
  without: number;
  /** The first of them by short code; at most 1,000. */
  differing: UrlDifference[];
}

/** Compares the counters of each short URL with its clicks by hour and by each dimension, and its rows, as far back as they are
 *  kept, with the clicks by hour that have one. Reads all of the analytics, which takes a minute or so for 100 million rows. */
export async function readAnalyticsAudit(db: Knex): Promise<AnalyticsAudit> {
  return await db.transaction(
    async (trx) => {
      const { rows } = await trx.raw<{ rows: [{ clicks: number; without: number }] }>(
        `select cast(coalesce(sum(analytics_clicks), 0) as bigint) as clicks,
                cast(coalesce(sum(click_count - analytics_clicks), 0) as bigint) as without
         from url_stats`,
      );
      const { rows: differing } = await trx.raw<{ rows: UrlDifference[] }>(differencesSql);
      return { ...rows[0], differing };
    },
    { isolationLevel: 'repeatable read', readOnly: true },
  );
}

/** Short URLs whose figures wait to be removed were put back by another program, and have those of before. */
const differencesSql = `
  with hourly as materialized (
    select url_id, sum(clicks_00 + clicks_15 + clicks_30 + clicks_45) as clicks,
           sum(bots_00 + bots_15 + bots_30 + bots_45) as bots,
           coalesce(sum(row_clicks) filter (where hour >= rows_since), 0) as row_clicks
    from url_clicks_hourly, analytics_state group by url_id
  ), daily as materialized (
    select url_id, dimension, sum(clicks) as clicks, sum(bots) as bots from url_clicks_daily group by url_id, dimension
  ), kinds as materialized (
    select url_id, sum(clicks) as clicks from url_bots_daily group by url_id
  ), kept as materialized (
    select url_id, sum(clicks) as clicks from url_analytics, analytics_state where at >= rows_since group by url_id
  ), url as materialized (
    select id, short_code, analytics_clicks from urls join url_stats on url_id = id
    where id not in (select url_id from analytics_removals)
  ), compared as (
    select id, short_code, 'clicks by hour' as figure, analytics_clicks as expected, clicks as found
    from url left join hourly on url_id = id
    union all
    select id, short_code, 'rows', row_clicks, kept.clicks
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
  select short_code as "shortCode", figure, cast(coalesce(expected, 0) as bigint) as expected,
         cast(coalesce(found, 0) as bigint) as found
  from compared where coalesce(expected, 0) <> coalesce(found, 0)
  order by short_code, figure limit 1000`;
