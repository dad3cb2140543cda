import { isShortCode } from '../../keys/short-code.ts';
import type { Knex } from '../../storage/postgres/postgres.ts';
import { hasCode as isOfCode } from '../../urls/store/aliases.ts';
import { isOwned } from '../../urls/store/owner.ts';
import { UrlNotFound } from '../../urls/url.ts';
import {
  type AnalyticsQuestion,
  type BotChoice,
  type Dimension,
  dimensions,
  type Range,
  type UrlScope,
} from '../query/query.ts';
import { isOfDays, wholeDays } from '../query/range.ts';

/** Part of a statement, with its named bindings. */
export interface Sql {
  sql: string;
  bindings: Record<string, unknown>;
}

/** What is true of `url_id` of a scope's short URLs, whether or not there are any. */
export function conditionOf({ shortCode, owner, tag }: UrlScope): Sql {
  const hasCode = shortCode === undefined ? '' : `and ${isOfCode}`;
  const hasTag = tag === undefined ? '' : `and u.tags @> array[cast(:tag as text)] and u.tags <> '{}'`;
  return {
    sql: `url_id in (select u.id from urls u where u.deleted_at is null and ${isOwned} ${hasCode} ${hasTag})`,
    bindings: { owner, ...(shortCode !== undefined && { shortCode }), ...(tag !== undefined && { tag }) },
  };
}

/** The same; throws UrlNotFound for a short URL that is not there. */
export async function findUrls(trx: Knex, scope: UrlScope): Promise<Sql> {
  const { shortCode, owner } = scope;
  if (shortCode === undefined) return conditionOf(scope);
  const { rows } = await trx.raw<{ rows: { id: number }[] }>(
    `select u.id from urls u where ${isOfCode} and u.deleted_at is null and ${isOwned}`,
    { shortCode: isShortCode(shortCode) ? shortCode : '', owner },
  );
  if (!rows[0]) throw new UrlNotFound('no such short URL');
  return { sql: 'url_id = :urlId', bindings: { urlId: rows[0].id } };
}

/** The clicks that count, of relations with `clicks` and the part of them that are `bots`. */
export const counted: Record<BotChoice, string> = {
  include: 'clicks',
  exclude: 'clicks - bots',
  only: 'bots',
};

const isWithin = (at: string, from: string, to: string) =>
  `${at} >= cast(:${from} as timestamptz) and ${at} < cast(:${to} as timestamptz)`;

/** True of the hours that have a part of a range. */
export const isInHour = (from: string, to: string) =>
  `(hour > cast(:${from} as timestamptz) - interval '1 hour' and hour < cast(:${to} as timestamptz))`;

/** (url_id, at, clicks, bots) of quarters of hours in a range that begins and ends with one. */
export const quarters = (urls: Sql, { from, to }: Range): Sql => ({
  sql: `select url_id, at, clicks, bots from url_clicks_quarterly
        where ${urls.sql} and ${isWithin('at', 'from', 'to')}
          and ${isInHour('from', 'to')}`,
  bindings: { ...urls.bindings, from, to },
});

export const clicksOfHour = 'clicks_00 + clicks_15 + clicks_30 + clicks_45';

/** The same of hours, which are a quarter as many, in a range that begins and ends with one. */
export const hours = (urls: Sql, { from, to }: Range): Sql => ({
  sql: `select url_id, hour as at, ${clicksOfHour} as clicks, bots_00 + bots_15 + bots_30 + bots_45 as bots
        from url_clicks_hourly where ${urls.sql} and ${isWithin('hour', 'from', 'to')}`,
  bindings: { ...urls.bindings, from, to },
});

const rowColumns = `at, clicks, case when is_bot then clicks else 0 end as bots, is_bot, visitor, ${dimensions.join(', ')}`;

/** (at, clicks, bots, is_bot, visitor and each dimension) of the rows in a range that match the filters. */
export function rows(urls: Sql, { from, to }: Range, filters: AnalyticsQuestion['filters'] = {}): Sql {
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
    select value, clicks, bots from url_clicks_daily
    where ${urls.sql} and dimension = cast(:dimension as click_dimension) and ${isWholeDay}`;

/** Of the kinds of bots only known ones are stored: the rest is what the clicks of all devices have beyond them, whichever release
 *  counted those. */
const dailyKinds = (urls: Sql) => `
    select kind as value, clicks, clicks as bots from url_bots_daily where ${urls.sql} and ${isWholeDay}
    union all select '', -clicks, -clicks from url_bots_daily where ${urls.sql} and ${isWholeDay}
    union all select '', clicks, bots from url_clicks_daily
      where ${urls.sql} and dimension = 'device' and ${isWholeDay}`;

/** (value, clicks, bots) of a dimension: of whole days from roll-ups, of what is before and behind them from rows. What has no row
 *  there is unknown, so that they add up with quarters of hours. */
export function values(urls: Sql, range: Range, dimension: Dimension): Sql {
  const { from: firstDay, to: endDay } = wholeDays(range);
  const bindings = { ...urls.bindings, ...range, firstDay, endDay, dimension };
  const daily = dimension === 'bot_kind' ? dailyKinds(urls) : dailyValues(urls);
  if (isOfDays(range)) return { sql: daily, bindings };
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
    union all select '', clicks, bots from url_clicks_quarterly where ${urls.sql} and ${isInEdgeHour} and ${isAtEdge}`,
    bindings,
  };
}
