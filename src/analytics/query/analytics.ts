import { type Knex, onlyRow } from '../../storage/postgres/postgres.ts';
import { otherValue } from '../rollups/rollups.ts';
import { clicksOfHour, findUrls, type Sql } from '../rollups/scope.ts';
import { type Count, countAll, countByBot, countByHourOfWeek, countByTime, countByValue } from './groups.ts';
import {
  type AnalyticsAnswer,
  type AnalyticsQuery,
  DetailNotKept,
  type Dimension,
  dimensions,
  type Range,
} from './query.ts';
import {
  type AskedRange,
  findPrevious,
  findRange,
  isOfDays,
  isOfHours,
  quarterMs,
  widen,
  widenForValues,
} from './range.ts';
import type { ReadAnalytics } from './snapshot.ts';
import { hours, isInHour, quarters, rows, values } from './sources.ts';
import { countVisitors } from './visitor-counts.ts';

export type Analytics = ReturnType<typeof createAnalytics>;

/** Figures about the clicks of short URLs. All of an answer is of one moment. */
export const createAnalytics = (read: ReadAnalytics) => ({
  /** Roll-ups answer where they can, rows what needs single clicks: minutes and filters. Throws UrlNotFound, EmptyRange,
   *  TooManyBuckets and DetailNotKept. */
  ask: async (question: AnalyticsQuery): Promise<AnalyticsAnswer> =>
    await read(async (trx) => {
      const urls = await findUrls(trx, question.scope);
      const asked = await findRange(trx, question);
      const { rowsSince, hasWholeHours } = asked;
      const { range, source } = planFor(question, asked);
      const factsOf = (range: Range) =>
        source === 'rows' ? rows(urls, range, question.filters) : rollUps(urls, range, hasWholeHours);
      const { clicks, groups, other } = await count(trx, { urls, range, factsOf, source }, question);
      const visitors = question.visitors
        ? await countVisitors(trx, urls, { range, rowsSince }, question)
        : undefined;
      const previous = question.compare ? await findPrevious(trx, range, question.timezone) : undefined;
      if (previous && source === 'rows') assertKept(previous, rowsSince);
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
          clicks: await countAll(trx, factsOf(previous), question.bots),
        },
      };
    }),
});

/** What is counted, and where. */
function planFor(
  { groupBy, interval, filters }: AnalyticsQuery,
  { range: asked, rowsSince }: AskedRange,
): Pick<AnalyticsAnswer, 'range' | 'source'> {
  const hasFilters = Object.keys(filters).length > 0;
  if (hasFilters || (groupBy === 'time' && interval === 'minute')) {
    assertKept(asked, rowsSince);
    return { range: asked, source: 'rows' };
  }
  if (!isDimension(groupBy)) return { range: widen(asked, quarterMs), source: 'roll-ups' };
  const range = widenForValues(asked, rowsSince);
  return { range, source: isOfDays(range) ? 'roll-ups' : 'both' };
}

const rollUps = (urls: Sql, range: Range, hasWholeHours: boolean) =>
  hasWholeHours && isOfHours(range) ? hours(urls, range) : quarters(urls, range);

function assertKept(range: Range, rowsSince: Date): void {
  if (range.from < rowsSince) throw new DetailNotKept(rowsSince);
}

const isDimension = (groupBy: string): groupBy is Dimension =>
  (dimensions as readonly string[]).includes(groupBy);

async function count(
  trx: Knex,
  from: {
    urls: Sql;
    range: Range;
    factsOf: (range: Range) => Sql;
    source: AnalyticsAnswer['source'];
  },
  question: AnalyticsQuery,
): Promise<Pick<AnalyticsAnswer, 'clicks' | 'other'> & { groups: Count[] }> {
  const { urls, range, factsOf, source } = from;
  const { groupBy } = question;
  if (isDimension(groupBy)) {
    const facts = source === 'rows' ? valuesOfRows(factsOf(range), groupBy) : values(urls, range, groupBy);
    const found = await countByValue(trx, facts, question);
    const groups = found.groups.filter(({ name }) => name !== otherValue);
    return { groups, clicks: found.clicks, other: found.clicks - sumOf(groups) };
  }
  const groups = await countOthers(trx, factsOf(range), range, question);
  return { groups, clicks: sumOf(groups), other: 0 };
}

async function countOthers(trx: Knex, facts: Sql, range: Range, question: AnalyticsQuery): Promise<Count[]> {
  if (question.groupBy === 'time') return await countByTime(trx, facts, range, question);
  if (question.groupBy === 'hour_of_week') return await countByHourOfWeek(trx, facts, question);
  return await countByBot(trx, facts, question);
}

const valuesOfRows = ({ sql, bindings }: Sql, dimension: Dimension): Sql => ({
  sql: `select ${dimension} as value, clicks, bots from (${sql}) as click`,
  bindings,
});

const sumOf = (groups: Count[]) => groups.reduce((sum, { clicks }) => sum + clicks, 0);

/** Clicks of the hours in a range that have no row. */
async function countWithoutRow(trx: Knex, urls: Sql, { from, to }: Range): Promise<number> {
  return onlyRow(
    await trx.raw<{ rows: { clicks: number }[] }>(
      `select cast(coalesce(sum(${clicksOfHour} - row_clicks), 0) as bigint) as clicks
       from url_clicks_hourly
       where ${urls.sql} and ${isInHour('from', 'to')}`,
      { ...urls.bindings, from, to },
    ),
  ).clicks;
}
