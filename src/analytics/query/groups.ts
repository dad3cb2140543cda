import type { Knex } from '../../storage/postgres/postgres.ts';
import { otherValue } from '../rollups/daily-values.ts';
import { type Sql } from '../rollups/scope.ts';
import { firstMomentOf, localTimeOf } from './local-time.ts';
import { type AnalyticsQuery, type Interval, type Range, TooManyBuckets } from './query.ts';
import { floor, quarterMs } from './range.ts';
import { clickExpression } from './sources.ts';

export interface Count {
  name: string;
  clicks: number;
}

/** Maximum number of time buckets in an answer. */
const maxBuckets = 10_000;
/** The same in an answer for many short URLs. */
const maxBucketsPerUrl = 1_000;

const nominalMs: Record<Interval, number> = {
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  week: 7 * 86_400_000,
  month: 28 * 86_400_000,
};

const hourOfWeek = `to_char(${localTimeOf('at')}, 'ID-HH24')`;

/** SQL expression that identifies the group of a row with `at`, `is_bot` and each dimension. */
export function groupKey({ groupBy, interval }: Pick<AnalyticsQuery, 'groupBy' | 'interval'>): string {
  if (groupBy === 'time') return bucketKey(interval);
  if (groupBy === 'hour_of_week') return hourOfWeek;
  if (groupBy === 'bot') return `case when is_bot then 'bot' else 'person' end`;
  return groupBy;
}

/** Days, weeks and months follow local time. Hours and minutes do not: an hour that local time repeats is two
 *  buckets. */
const usesLocalTime = (interval: Interval) => interval !== 'minute' && interval !== 'hour';

function bucketKey(interval: Interval): string {
  return usesLocalTime(interval)
    ? `date_trunc(:interval, ${localTimeOf('at')})`
    : 'date_trunc(:interval, at, :timezone)';
}

/** SQL for the start of the bucket with this key. */
const startOfBucket = (key: string, interval: Interval) =>
  usesLocalTime(interval) ? firstMomentOf(key) : key;

/** SQL for the name of a group in an answer, from its key. */
export const groupName = (key: string, { groupBy, interval }: Pick<AnalyticsQuery, 'groupBy' | 'interval'>) =>
  groupBy === 'time' ? startOfBucket(key, interval) : key;

/** Converts the name to text. */
export const nameOf = (key: Date | string) => (key instanceof Date ? key.toISOString() : key);

/** Counts clicks by time in local time, including empty buckets. Throws TooManyBuckets. */
export async function countByTime(
  trx: Knex,
  facts: Sql,
  range: Range,
  { interval, timezone, bots }: Pick<AnalyticsQuery, 'interval' | 'timezone' | 'bots'>,
): Promise<Count[]> {
  requireFewBuckets(range, interval, maxBuckets);
  // A full join, so that a click without a bucket becomes visible instead of missing.
  return await countGroups(
    trx,
    `with bucket as (${bucketsOf(interval)}), counted as (
       select ${bucketKey(interval)} as key, sum(${clickExpression[bots]}) as clicks from (${facts.sql}) as fact group by 1
     )
     select ${startOfBucket('key', interval)} as key, cast(coalesce(clicks, 0) as bigint) as clicks
     from bucket full join counted using (key) order by 1`,
    { ...facts.bindings, ...bucketBindings(range, interval, timezone) },
  );
}

const bucketBindings = (range: Range, interval: Interval, timezone: string) => ({
  ...range,
  firstQuarter: floor(range.from, quarterMs),
  interval,
  timezone,
});

function requireFewBuckets({ from, to }: Range, interval: Interval, max: number): void {
  const count = Math.ceil((to.getTime() - from.getTime()) / nominalMs[interval]);
  if (count > max) throw new TooManyBuckets(count, max);
}

/** Clicks of several short URLs in a time bucket: of those that have some. */
export interface UrlBucket {
  start: Date;
  clicks: { urlId: number; clicks: number }[];
}

/** Counts the clicks of each short URL by time in local time, including empty buckets. Throws TooManyBuckets. */
export async function countByUrlAndTime(
  trx: Knex,
  facts: Sql,
  range: Range,
  { interval, timezone, bots }: Pick<AnalyticsQuery, 'interval' | 'timezone' | 'bots'>,
): Promise<UrlBucket[]> {
  requireFewBuckets(range, interval, maxBucketsPerUrl);
  const { rows } = await trx.raw<{ rows: UrlBucket[] }>(
    `with bucket as (${bucketsOf(interval)}), counted as (
       select url_id, ${bucketKey(interval)} as key, sum(${clickExpression[bots]}) as clicks from (${facts.sql}) as fact group by 1, 2
     ), joined as (
       select key, coalesce(json_agg(json_build_object('urlId', url_id, 'clicks', clicks)) filter (where clicks > 0), '[]') as clicks
       from bucket full join counted using (key) group by key
     )
     select ${startOfBucket('key', interval)} as start, clicks from joined order by 1`,
    { ...facts.bindings, ...bucketBindings(range, interval, timezone) },
  );
  return rows;
}

/** Finds hours by their quarters: each hour begins with one, and some time zones are shifted by half an hour. */
function bucketsOf(interval: Interval): string {
  const last = `cast(:to as timestamptz) - interval '1 microsecond'`;
  if (!usesLocalTime(interval)) {
    const step = interval === 'minute' ? '1 minute' : '15 minutes';
    const first = interval === 'minute' ? 'from' : 'firstQuarter';
    return `select distinct date_trunc(:interval, at, :timezone) as key
            from generate_series(cast(:${first} as timestamptz), ${last}, interval '${step}') as at`;
  }
  return `select key from generate_series(date_trunc(:interval, ${localTimeOf('cast(:from as timestamptz)')}),
                                          ${localTimeOf(`(${last})`)}, interval '1 ${interval}') as key`;
}

/** Counts clicks by each of the 168 hours of the week, in local time. */
export async function countByHourOfWeek(
  trx: Knex,
  facts: Sql,
  { timezone, bots }: Pick<AnalyticsQuery, 'timezone' | 'bots'>,
): Promise<Count[]> {
  return await countGroups(
    trx,
    `with counted as (
       select ${hourOfWeek} as key, sum(clicks) as clicks
       from (select date_trunc('hour', at, :timezone) as at, sum(${clickExpression[bots]}) as clicks
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

/** Counts clicks of people and of bots. */
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

/** Counts clicks by value: up to `limit` values in descending order, and the total. The catch-all value comes last. */
export async function countByValue(
  trx: Knex,
  facts: Sql,
  { bots, limit }: Pick<AnalyticsQuery, 'bots' | 'limit'>,
): Promise<{ groups: Count[]; clicks: number }> {
  const { rows } = await trx.raw<{ rows: (Count & { all: number })[] }>(
    `select value as name, clicks, cast(sum(clicks) over () as bigint) as all
     from (select value, cast(sum(${clickExpression[bots]}) as bigint) as clicks from (${facts.sql}) as fact group by 1) as grouped
     where clicks > 0
     order by value = :otherValue, clicks desc, value limit :limit`,
    { ...facts.bindings, limit, otherValue },
  );
  return { groups: rows.map(({ name, clicks }) => ({ name, clicks })), clicks: rows[0]?.all ?? 0 };
}

/** Counts all clicks. */
export async function countAll(trx: Knex, facts: Sql, bots: AnalyticsQuery['bots']): Promise<number> {
  const { rows } = await trx.raw<{ rows: { clicks: number }[] }>(
    `select cast(coalesce(sum(${clickExpression[bots]}), 0) as bigint) as clicks from (${facts.sql}) as fact`,
    facts.bindings,
  );
  return rows[0]!.clicks;
}

async function countGroups(trx: Knex, sql: string, bindings: Sql['bindings']): Promise<Count[]> {
  const { rows } = await trx.raw<{ rows: { key: Date | string; clicks: number }[] }>(sql, bindings);
  return rows.map(({ key, clicks }) => ({ name: nameOf(key), clicks }));
}
