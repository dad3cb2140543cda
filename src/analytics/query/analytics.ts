import { type Knex, onlyRow } from '../../storage/postgres/postgres.ts';
import { otherValue } from '../rollups/daily-values.ts';
import { clicksOfHour, findUrls, type Sql } from '../rollups/scope.ts';
import { type Count, countAll, countByBot, countByHourOfWeek, countByTime, countByValue } from './groups.ts';
import {
  type AnalyticsResult,
  type AnalyticsQuery,
  RetentionExceeded,
  type Dimension,
  dimensions,
  type Range,
} from './query.ts';
import {
  type RequestedRange,
  findPrevious,
  findRange,
  hasWholeUtcDays,
  quarterMs,
  widen,
  widenForValues,
} from './range.ts';
import type { ReadAnalytics } from './snapshot.ts';
import { isInHour, rollUps, rows, values } from './sources.ts';
import { countVisitors } from './visitor-counts.ts';

export type Analytics = ReturnType<typeof createAnalytics>;

/** Answers queries about the clicks of short URLs. Each answer is from one snapshot. */
export const createAnalytics = (read: ReadAnalytics) => ({
  /** Reads roll-ups where possible, and click events for queries by minute or with filters. Throws UrlNotFound,
   *  EmptyRange, TooManyBuckets and RetentionExceeded. */
  query: async (query: AnalyticsQuery): Promise<AnalyticsResult> =>
    await read(async (trx) => {
      const urls = await findUrls(trx, query.scope);
      const requested = await findRange(trx, query);
      const { eventsSince, hasWholeHours } = requested;
      const { range, source } = planFor(query, requested);
      const factsOf = (range: Range) =>
        source === 'rows' ? rows(urls, range, query.filters) : rollUps(urls, range, hasWholeHours);
      const { clicks, groups, other } = await count(trx, { urls, range, factsOf, source }, query);
      const visitors = query.visitors
        ? await countVisitors(trx, urls, { range, eventsSince }, query)
        : undefined;
      const previous = query.compare ? await findPrevious(trx, range, query.timezone) : undefined;
      if (previous && source === 'rows') assertRetained(previous, eventsSince);
      return {
        range,
        source,
        clicks,
        visitors: visitors?.all,
        groups: groups.map(({ name, clicks }) => ({ name, clicks, visitors: visitors?.ofGroup(name) })),
        other,
        withoutRow: source === 'rows' ? await countWithoutRow(trx, urls, range) : 0,
        previous: previous && {
          ...previous,
          clicks: await countAll(trx, factsOf(previous), query.bots),
        },
      };
    }),
});

/** Chooses the range and the source of an answer. */
function planFor(
  { groupBy, interval, filters }: AnalyticsQuery,
  { range: requested, eventsSince }: RequestedRange,
): Pick<AnalyticsResult, 'range' | 'source'> {
  const hasFilters = Object.keys(filters).length > 0;
  if (hasFilters || (groupBy === 'time' && interval === 'minute')) {
    assertRetained(requested, eventsSince);
    return { range: requested, source: 'rows' };
  }
  if (!isDimension(groupBy)) return { range: widen(requested, quarterMs), source: 'roll-ups' };
  const range = widenForValues(requested, eventsSince);
  return { range, source: hasWholeUtcDays(range) ? 'roll-ups' : 'both' };
}

function assertRetained(range: Range, eventsSince: Date): void {
  if (range.from < eventsSince) throw new RetentionExceeded(eventsSince);
}

const isDimension = (groupBy: string): groupBy is Dimension =>
  (dimensions as readonly string[]).includes(groupBy);

async function count(
  trx: Knex,
  from: {
    urls: Sql;
    range: Range;
    factsOf: (range: Range) => Sql;
    source: AnalyticsResult['source'];
  },
  query: AnalyticsQuery,
): Promise<Pick<AnalyticsResult, 'clicks' | 'other'> & { groups: Count[] }> {
  const { urls, range, factsOf, source } = from;
  const { groupBy } = query;
  if (isDimension(groupBy)) {
    const facts = source === 'rows' ? valuesOfRows(factsOf(range), groupBy) : values(urls, range, groupBy);
    const counts = await countByValue(trx, facts, query);
    const groups = counts.groups.filter(({ name }) => name !== otherValue);
    return { groups, clicks: counts.clicks, other: counts.clicks - sumOf(groups) };
  }
  const groups = await countGroups(trx, factsOf(range), range, query);
  return { groups, clicks: sumOf(groups), other: 0 };
}

async function countGroups(trx: Knex, facts: Sql, range: Range, query: AnalyticsQuery): Promise<Count[]> {
  if (query.groupBy === 'time') return await countByTime(trx, facts, range, query);
  if (query.groupBy === 'hour_of_week') return await countByHourOfWeek(trx, facts, query);
  return await countByBot(trx, facts, query);
}

const valuesOfRows = ({ sql, bindings }: Sql, dimension: Dimension): Sql => ({
  sql: `select ${dimension} as value, clicks, bots from (${sql}) as click`,
  bindings,
});

const sumOf = (groups: Count[]) => groups.reduce((sum, { clicks }) => sum + clicks, 0);

/** Counts clicks in the hours of a range that have no click event. */
async function countWithoutRow(trx: Knex, urls: Sql, { from, to }: Range): Promise<number> {
  return onlyRow(
    await trx.raw<{ rows: { clicks: number }[] }>(
      `select cast(coalesce(sum(${clicksOfHour} - event_clicks), 0) as bigint) as clicks
       from url_clicks_hourly
       where ${urls.sql} and ${isInHour('from', 'to')}`,
      { ...urls.bindings, from, to },
    ),
  ).clicks;
}
