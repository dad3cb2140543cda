import type { Knex } from '../../storage/postgres/postgres.ts';
import { type Sql } from '../rollups/scope.ts';
import { groupKey, groupName, nameOf } from './groups.ts';
import type { AnalyticsQuery, BotChoice, Range } from './query.ts';
import { isOfDays } from './range.ts';
import { rows } from './sources.ts';

/** Different visitors of a range, and of its groups where these are known; undefined where nothing is. */
export interface VisitorCounts {
  all: number | undefined;
  ofGroup: (name: string) => number | undefined;
}

const unknown: VisitorCounts = { all: undefined, ofGroup: () => undefined };

const isCounted: Record<BotChoice, string> = {
  include: 'true',
  exclude: 'not is_bot',
  only: 'is_bot',
};

const dailyFigure: Record<BotChoice, string> = { include: 'people + bots', exclude: 'people', only: 'bots' };

/** Counts the visitors of clicks that have a row; where rows are gone, by the days' figures that were kept of one short URL. */
export async function countVisitors(
  trx: Knex,
  urls: Sql,
  { range, rowsSince }: { range: Range; rowsSince: Date },
  question: AnalyticsQuery,
): Promise<VisitorCounts> {
  if (range.from >= rowsSince) return await countByRows(trx, urls, range, question);
  const isOneUrl = question.scope.shortCode !== undefined;
  const hasFilters = Object.keys(question.filters).length > 0;
  return isOfDays(range) && isOneUrl && !hasFilters ? await countByDays(trx, urls, range, question) : unknown;
}

async function countByRows(
  trx: Knex,
  urls: Sql,
  range: Range,
  question: AnalyticsQuery,
): Promise<VisitorCounts> {
  const { sql, bindings } = rows(urls, range, question.filters);
  const found = await trx.raw<{ rows: { key: Date | string; isAll: boolean; visitors: number }[] }>(
    `select ${groupName('key', question)} as key, grouping(key) = 1 as "isAll", count(distinct visitor) as visitors
     from (select ${groupKey(question)} as key, visitor from (${sql}) as fact where ${isCounted[question.bots]}) as visit
     group by grouping sets ((key), ())`,
    { ...bindings, interval: question.interval, timezone: question.timezone },
  );
  const groups = new Map(
    found.rows.filter(({ isAll }) => !isAll).map(({ key, visitors }) => [nameOf(key), visitors]),
  );
  return {
    all: found.rows.find(({ isAll }) => isAll)?.visitors ?? 0,
    ofGroup: (name) => groups.get(name) ?? 0,
  };
}

/** Nobody is the same visitor on two days of UTC. Rows of days that are past their retention change no more, and are there until
 *  their visitors are written down. */
async function countByDays(
  trx: Knex,
  urls: Sql,
  range: Range,
  { bots }: AnalyticsQuery,
): Promise<VisitorCounts> {
  const { sql, bindings } = rows(urls, range);
  const found = await trx.raw<{ rows: { visitors: number }[] }>(
    `select cast(coalesce(sum(visitors), 0) as bigint) as visitors from (
       select ${dailyFigure[bots]} as visitors from url_visitors_daily
       where ${urls.sql} and day >= cast(cast(:from as timestamptz) at time zone 'UTC' as date)
         and day < cast(cast(:to as timestamptz) at time zone 'UTC' as date)
       union all
       select count(distinct visitor) from (${sql}) as fact
       where cast(at at time zone 'UTC' as date) not in (select day from url_visitors_daily where ${urls.sql})
         and ${isCounted[bots]} group by date_trunc('day', at, 'UTC')
     ) as day`,
    bindings,
  );
  return { all: found.rows[0]!.visitors, ofGroup: () => undefined };
}
