import type { Knex } from '../../../../src/storage/postgres/postgres.ts';

/** A query to the API, and the grouping of the sent clicks that answers it. */
export interface ApiQuery {
  name: string;
  query: string;
  key: string;
  /** SQL condition for the selected clicks; all by default. */
  where?: string;
  /** Whether the query covers only the day: over several days, a value beyond the limit of one day is incomplete. */
  isOfDay?: boolean;
}

/** Clicks, and the bot clicks among them. */
export type Pair = [clicks: number, bots: number];

const iso = (time: string) => `to_char(${time} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
const dimensions = ['country', 'referrer', 'browser', 'os', 'device'];

export const apiQueries: ApiQuery[] = [
  { name: 'hour', query: 'group_by=time&interval=hour', key: iso(`date_trunc('hour', at)`) },
  {
    name: 'day in Kathmandu',
    query: 'group_by=time&interval=day&timezone=Asia/Kathmandu',
    key: iso(`date_trunc('day', at, 'Asia/Kathmandu')`),
  },
  {
    name: 'hour of the week',
    query: 'group_by=hour_of_week',
    key: `to_char(at at time zone 'UTC', 'ID-HH24')`,
  },
  { name: 'bot or person', query: 'group_by=bot', key: `case when is_bot then 'bot' else 'person' end` },
  ...dimensions.map((name) => ({ name, query: `group_by=${name}&limit=1000`, key: name, isOfDay: true })),
  {
    name: 'country, of Chrome on Android alone',
    query: 'group_by=country&limit=1000&browser=Chrome&os=Android',
    key: 'country',
    where: `browser = 'Chrome' and os = 'Android' and not is_private`,
  },
];

/** Returns the day, or also the days before and after it. */
export function rangeOf({ isOfDay }: ApiQuery, dayMs: number): { from: string; to: string } {
  const after = (days: number) => new Date(dayMs + days * 86_400_000).toISOString();
  return isOfDay ? { from: after(0), to: after(1) } : { from: after(-1), to: after(2) };
}

/** Groups the clicks sent on a short URL, or on all, for a query. */
export async function readExpected(
  db: Knex,
  apiQuery: ApiQuery,
  shortCode: string | undefined,
  dayMs: number,
): Promise<Map<string, Pair>> {
  const { rows } = await db.raw<{ rows: { key: string; clicks: number; bots: number }[] }>(
    `select ${apiQuery.key} as key, count(*) as clicks, count(*) filter (where is_bot) as bots
     from sent join urls on id = url_id
     where at >= :from and at < :to and (short_code = :shortCode or :isAll) and (${apiQuery.where ?? 'true'}) group by 1`,
    {
      ...rangeOf(apiQuery, dayMs),
      shortCode: shortCode ?? '',
      isAll: shortCode === undefined,
    },
  );
  return new Map(rows.map(({ key, clicks, bots }) => [key, [clicks, bots]]));
}
