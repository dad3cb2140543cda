import type { Knex } from '../../../../src/storage/postgres/postgres.ts';

/** A question to the API, and how what was sent is grouped to answer it. */
export interface Question {
  name: string;
  query: string;
  key: string;
  /** Which clicks are meant, where not all. */
  where?: string;
  /** Whether it is about the day alone: over several, a value that one of them has no room for is not told apart. */
  isOfDay?: boolean;
}

/** Clicks and those of bots. */
export type Pair = [clicks: number, bots: number];

const iso = (time: string) => `to_char(${time} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
const dimensions = ['country', 'referrer', 'browser', 'os', 'device'];

export const questions: Question[] = [
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

/** The day, or the days before and after it, too. */
export function rangeOf({ isOfDay }: Question, dayMs: number): { from: string; to: string } {
  const after = (days: number) => new Date(dayMs + days * 86_400_000).toISOString();
  return isOfDay ? { from: after(0), to: after(1) } : { from: after(-1), to: after(2) };
}

/** What was sent on a short URL, or on all, by the groups of a question. */
export async function readExpected(
  db: Knex,
  question: Question,
  shortCode: string | undefined,
  dayMs: number,
): Promise<Map<string, Pair>> {
  const { rows } = await db.raw<{ rows: { key: string; clicks: number; bots: number }[] }>(
    `select ${question.key} as key, count(*) as clicks, count(*) filter (where is_bot) as bots
     from sent join urls on id = url_id
     where at >= :from and at < :to and (short_code = :shortCode or :isAll) and (${question.where ?? 'true'}) group by 1`,
    {
      ...rangeOf(question, dayMs),
      shortCode: shortCode ?? '',
      isAll: shortCode === undefined,
    },
  );
  return new Map(rows.map(({ key, clicks, bots }) => [key, [clicks, bots]]));
}
