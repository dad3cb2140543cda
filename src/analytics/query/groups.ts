import type { Knex } from '../../storage/postgres/postgres.ts';
import { otherValue } from '../rollups/rollups.ts';
import { type Sql } from '../rollups/scope.ts';
import { firstMomentOf, localTimeOf } from './local-time.ts';
import { type AnalyticsQuery, type Interval, type Range, TooManyBuckets } from './query.ts';
import { floor, quarterMs } from './range.ts';
import { counted } from './sources.ts';

export interface Count {
  name: string;
  clicks: number;
}

/** Groups by time that an answer has at most. */
export const maxBuckets = 10_000;

const nominalMs: Record<Interval, number> = {
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  week: 7 * 86_400_000,
  month: 28 * 86_400_000,
};

const hourOfWeek = `to_char(${localTimeOf('at')}, 'ID-HH24')`;

/** What tells the groups of a question apart, of relations with `at`, `is_bot` and each dimension. */
export function groupKey({ groupBy, interval }: Pick<AnalyticsQuery, 'groupBy' | 'interval'>): string {
  if (groupBy === 'time') return bucketKey(interval);
  if (groupBy === 'hour_of_week') return hourOfWeek;
  if (groupBy === 'bot') return `case when is_bot then 'bot' else 'person' end`;
  return groupBy;
}

/** Hours and minutes that come twice are two; days, weeks and months are told apart by the clocks. */
const areOfClocks = (interval: Interval) => interval !== 'minute' && interval !== 'hour';

function bucketKey(interval: Interval): string {
  return areOfClocks(interval)
    ? `date_trunc(:interval, ${localTimeOf('at')})`
    : 'date_trunc(:interval, at, :timezone)';
}

/** When a bucket begins that has this key. */
const beginOfBucket = (key: string, interval: Interval) => (areOfClocks(interval) ? firstMomentOf(key) : key);

/** What names a group in an answer, of its key. */
export const groupName = (key: string, { groupBy, interval }: Pick<AnalyticsQuery, 'groupBy' | 'interval'>) =>
  groupBy === 'time' ? beginOfBucket(key, interval) : key;

/** The same as text. */
export const nameOf = (key: Date | string) => (key instanceof Date ? key.toISOString() : key);

/** Clicks by time, each bucket of the range with its own, as clocks of the time zone divide it. Throws TooManyBuckets. */
export async function countByTime(
  trx: Knex,
  facts: Sql,
  range: Range,
  { interval, timezone, bots }: Pick<AnalyticsQuery, 'interval' | 'timezone' | 'bots'>,
): Promise<Count[]> {
  const count = Math.ceil((range.to.getTime() - range.from.getTime()) / nominalMs[interval]);
  if (count > maxBuckets) throw new TooManyBuckets(count);
  // A full join: a click that found no bucket would be missing without a trace.
  return await countGroups(
    trx,
    `with bucket as (${bucketsOf(interval)}), counted as (
       select ${bucketKey(interval)} as key, sum(${counted[bots]}) as clicks from (${facts.sql}) as fact group by 1
     )
     select ${beginOfBucket('key', interval)} as key, cast(coalesce(clicks, 0) as bigint) as clicks
     from bucket full join counted using (key) order by 1`,
    {
      ...facts.bindings,
      ...range,
      firstQuarter: floor(range.from, quarterMs),
      interval,
      timezone,
    },
  );
}

/** Hours are found by their quarters, at one of which every hour begins: some clocks change by half an hour. */
function bucketsOf(interval: Interval): string {
  const last = `cast(:to as timestamptz) - interval '1 microsecond'`;
  if (!areOfClocks(interval)) {
    const step = interval === 'minute' ? '1 minute' : '15 minutes';
    const first = interval === 'minute' ? 'from' : 'firstQuarter';
    return `select distinct date_trunc(:interval, at, :timezone) as key
            from generate_series(cast(:${first} as timestamptz), ${last}, interval '${step}') as at`;
  }
  return `select key from generate_series(date_trunc(:interval, ${localTimeOf('cast(:from as timestamptz)')}),
                                          ${localTimeOf(`(${last})`)}, interval '1 ${interval}') as key`;
}

/** Clicks by hour of the week on the clocks of the time zone, each of the 168. */
export async function countByHourOfWeek(
  trx: Knex,
  facts: Sql,
  { timezone, bots }: Pick<AnalyticsQuery, 'timezone' | 'bots'>,
): Promise<Count[]> {
  return await countGroups(
    trx,
    `with counted as (
       select ${hourOfWeek} as key, sum(clicks) as clicks
       from (select date_trunc('hour', at, :timezone) as at, sum(${counted[bots]}) as clicks
             from (${facts.sql}) as fact group by 1) as hour
       group by 1
     )
     select day || '-' || to_char(hour, 'FM00') as key, cast(coalesce(clicks, 0) as bigint) as clicks
     from generate_series(1, 7) as day cross join generate_series(0, 23) as hour
       left join counted on key = day || '-' || to_char(hour, 'FM00')
     order by day, hour`,
    { ...facts.bindings, timezone },
  );
}

/** Clicks of people and of bots. */
export async function countByBot(
  trx: Knex,
  facts: Sql,
  { bots }: Pick<AnalyticsQuery, 'bots'>,
): Promise<Count[]> {
  return await countGroups(
    trx,
    `select part.key, cast(coalesce(part.clicks, 0) as bigint) as clicks
     from (select sum(clicks - bots) as people, sum(bots) as bots from (${facts.sql}) as fact) as total
       cross join lateral (values ('person', people, 'only'), ('bot', bots, 'exclude')) as part (key, clicks, unless)
     where part.unless <> :bots`,
    { ...facts.bindings, bots },
  );
}

/** Clicks by value, the most clicked ones first and `limit` at most; and of all values. What is beyond the greatest number of values comes last. */
export async function countByValue(
  trx: Knex,
  facts: Sql,
  { bots, limit }: Pick<AnalyticsQuery, 'bots' | 'limit'>,
): Promise<{ groups: Count[]; clicks: number }> {
  const { rows } = await trx.raw<{ rows: (Count & { all: number })[] }>(
    `select value as name, clicks, cast(sum(clicks) over () as bigint) as all
     from (select value, cast(sum(${counted[bots]}) as bigint) as clicks from (${facts.sql}) as fact group by 1) as grouped
     where clicks > 0
     order by value = :otherValue, clicks desc, value limit :limit`,
    { ...facts.bindings, limit, otherValue },
  );
  return { groups: rows.map(({ name, clicks }) => ({ name, clicks })), clicks: rows[0]?.all ?? 0 };
}

/** All clicks. */
export async function countAll(trx: Knex, facts: Sql, bots: AnalyticsQuery['bots']): Promise<number> {
  const { rows } = await trx.raw<{ rows: { clicks: number }[] }>(
    `select cast(coalesce(sum(${counted[bots]}), 0) as bigint) as clicks from (${facts.sql}) as fact`,
    facts.bindings,
  );
  return rows[0]!.clicks;
}

async function countGroups(trx: Knex, sql: string, bindings: Sql['bindings']): Promise<Count[]> {
  const { rows } = await trx.raw<{ rows: { key: Date | string; clicks: number }[] }>(sql, bindings);
  return rows.map(({ key, clicks }) => ({ name: nameOf(key), clicks }));
}
