import type { Knex } from '../../storage/postgres/postgres.ts';
import { type Sql } from '../rollups/scope.ts';
import { groupKey, groupName, nameOf } from './groups.ts';
import type { AnalyticsQuery, BotChoice, Range } from './query.ts';
import { hasWholeUtcDays } from './range.ts';
import { rows } from './sources.ts';

/** Distinct visitors of a range and its groups; undefined where unknown. */
export interface VisitorCounts {
  all: number | undefined;
  ofGroup: (name: string) => number | undefined;
}

const unknown: VisitorCounts = { all: undefined, ofGroup: () => undefined };

const isSelected: Record<BotChoice, string> = {
  include: 'true',
  exclude: 'not is_bot',
  only: 'is_bot',
};

const dailyCount: Record<BotChoice, string> = { include: 'people + bots', exclude: 'people', only: 'bots' };

/** Counts distinct visitors by click events. Past their retention, it uses the stored daily counts of a single short
 *  URL. */
export async function countVisitors(
  trx: Knex,
  urls: Sql,
  { range, eventsSince }: { range: Range; eventsSince: Date },
  query: AnalyticsQuery,
): Promise<VisitorCounts> {
  if (range.from >= eventsSince) return await countByRows(trx, urls, range, query);
  const isOneUrl = query.scope.shortCode !== undefined;
  const hasFilters = Object.keys(query.filters).length > 0;
  return hasWholeUtcDays(range) && isOneUrl && !hasFilters
    ? await countByDays(trx, urls, range, query)
    : unknown;
}

async function countByRows(
  trx: Knex,
  urls: Sql,
  range: Range,
  query: AnalyticsQuery,
): Promise<VisitorCounts> {
  const { sql, bindings } = rows(urls, range, query.filters);
  const found = await trx.raw<{ rows: { key: Date | string; isAll: boolean; visitors: number }[] }>(
    `select ${groupName('key', query)} as key, grouping(key) = 1 as "isAll", count(distinct visitor) as visitors
     from (select ${groupKey(query)} as key, visitor from (${sql}) as fact where ${isSelected[query.bots]}) as visit
     group by grouping sets ((key), ())`,
    { ...bindings, interval: query.interval, timezone: query.timezone },
  );
  const groups = new Map(
    found.rows.filter(({ isAll }) => !isAll).map(({ key, visitors }) => [nameOf(key), visitors]),
  );
  return {
    all: found.rows.find(({ isAll }) => isAll)?.visitors ?? 0,
    ofGroup: (name) => groups.get(name) ?? 0,
  };
}

/** Visitor IDs change each UTC day, so daily counts add up. Events past their retention no longer change, and exist
 *  until their visitors are stored. */
async function countByDays(
  trx: Knex,
  urls: Sql,
  range: Range,
  { bots }: AnalyticsQuery,
): Promise<VisitorCounts> {
  const { sql, bindings } = rows(urls, range);
  const found = await trx.raw<{ rows: { visitors: number }[] }>(
    `select cast(coalesce(sum(visitors), 0) as bigint) as visitors from (
       select ${dailyCount[bots]} as visitors from url_visitors_daily
       where ${urls.sql} and day >= cast(cast(:from as timestamptz) at time zone 'UTC' as date)
         and day < cast(cast(:to as timestamptz) at time zone 'UTC' as date)
       union all
       select count(distinct visitor) from (${sql}) as fact
       where cast(at at time zone 'UTC' as date) not in (select day from url_visitors_daily where ${urls.sql})
         and ${isSelected[bots]} group by date_trunc('day', at, 'UTC')
     ) as day`,
    bindings,
  );
  return { all: found.rows[0]!.visitors, ofGroup: () => undefined };
}
