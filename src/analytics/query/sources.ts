import { clicksOfHour, type Sql } from '../rollups/scope.ts';
import { type AnalyticsQuery, type BotChoice, type Dimension, dimensions, type Range } from './query.ts';
import { hasWholeUtcDays, hasWholeUtcHours, wholeDays } from './range.ts';

/** SQL for the selected clicks of a relation with `clicks` and `bots`. */
export const clickExpression: Record<BotChoice, string> = {
  include: 'clicks',
  exclude: 'clicks - bots',
  only: 'bots',
};

const isWithin = (at: string, from: string, to: string) =>
  `${at} >= cast(:${from} as timestamptz) and ${at} < cast(:${to} as timestamptz)`;

/** SQL condition for hours that overlap a range. */
export const isInHour = (from: string, to: string) =>
  `(hour > cast(:${from} as timestamptz) - interval '1 hour' and hour < cast(:${to} as timestamptz))`;

/** (url_id, at, clicks, bots) per quarter of an hour, for a range of whole quarters. */
export const quarters = (urls: Sql, { from, to }: Range): Sql => ({
  sql: `select url_id, at, clicks, bots from url_clicks_quarter_hourly
        where ${urls.sql} and ${isWithin('at', 'from', 'to')}
          and ${isInHour('from', 'to')}`,
  bindings: { ...urls.bindings, from, to },
});

/** The same per hour, which reads a quarter of the rows, for a range of whole hours. */
const hours = (urls: Sql, { from, to }: Range): Sql => ({
  sql: `select url_id, hour as at, ${clicksOfHour} as clicks, bots_00 + bots_15 + bots_30 + bots_45 as bots
        from url_clicks_hourly where ${urls.sql} and ${isWithin('hour', 'from', 'to')}`,
  bindings: { ...urls.bindings, from, to },
});

/** (url_id, at, clicks, bots) of the roll-ups in a range of whole quarters of an hour. `hasWholeHours` is whether hours of local time
 *  coincide with UTC hours. */
export const rollUps = (urls: Sql, range: Range, hasWholeHours: boolean): Sql =>
  hasWholeHours && hasWholeUtcHours(range) ? hours(urls, range) : quarters(urls, range);

const rowColumns = `at, clicks, case when is_bot then clicks else 0 end as bots, is_bot, visitor, ${dimensions.join(', ')}`;

/** (at, clicks, bots, is_bot, visitor and each dimension) of the click events in a range that match the filters. */
export function rows(urls: Sql, { from, to }: Range, filters: AnalyticsQuery['filters'] = {}): Sql {
  const conditions = Object.keys(filters).map((dimension) => `and ${dimension} = :${dimension}Filter`);
  const values = Object.entries(filters).map(([dimension, value]) => [`${dimension}Filter`, value]);
  return {
    sql: `select ${rowColumns} from url_analytics
          where ${urls.sql} and ${isWithin('at', 'from', 'to')} ${conditions.join(' ')}`,
    bindings: { ...urls.bindings, from, to, ...Object.fromEntries(values) },
  };
}

const isWholeDay = `day >= cast(cast(:firstDay as timestamptz) at time zone 'UTC' as date)
      and day < cast(cast(:endDay as timestamptz) at time zone 'UTC' as date)`;

const dailyValues = (urls: Sql) => `
    select value, clicks, bots from url_clicks_by_day
    where ${urls.sql} and dimension = cast(:dimension as click_dimension) and ${isWholeDay}`;

/** Only known bot kinds are stored. The unknown ones are the difference to the clicks by device, whichever release
 *  counted them. */
const dailyKinds = (urls: Sql) => `
    select kind as value, clicks, clicks as bots from url_bots_by_day where ${urls.sql} and ${isWholeDay}
    union all select '', -clicks, -clicks from url_bots_by_day where ${urls.sql} and ${isWholeDay}
    union all select '', clicks, bots from url_clicks_by_day
      where ${urls.sql} and dimension = 'device' and ${isWholeDay}`;

/** (value, clicks, bots) of a dimension: roll-ups for whole UTC days, click events for the rest. Clicks without an
 *  event there have an unknown value, so that the total matches the quarters. */
export function values(urls: Sql, range: Range, dimension: Dimension): Sql {
  const { from: firstDay, to: endDay } = wholeDays(range);
  const bindings = { ...urls.bindings, ...range, firstDay, endDay, dimension };
  const daily = dimension === 'bot_kind' ? dailyKinds(urls) : dailyValues(urls);
  if (hasWholeUtcDays(range)) return { sql: daily, bindings };
  const isAtEdge = `(${isWithin('at', 'from', 'firstDay')} or ${isWithin('at', 'endDay', 'to')})`;
  const isInEdgeHour = `(${isInHour('from', 'firstDay')} or ${isInHour('endDay', 'to')})`;
  return {
    sql: `
    with edge as materialized (
      select ${dimension} as value, sum(clicks) as clicks, coalesce(sum(clicks) filter (where is_bot), 0) as bots
      from url_analytics where ${urls.sql} and ${isAtEdge} group by 1
    )
    ${daily}
    union all select value, clicks, bots from edge
    union all select '', -clicks, -bots from edge
    union all select '', clicks, bots from url_clicks_quarter_hourly where ${urls.sql} and ${isInEdgeHour} and ${isAtEdge}`,
    bindings,
  };
}
