import { isInvalidParameter } from '../../storage/postgres/errors.ts';
import { type Knex, onlyRow } from '../../storage/postgres/postgres.ts';
import { firstMomentOf, localTimeOf } from './local-time.ts';
import { type AnalyticsQuery, EmptyRange, type Moment, type Range, UnknownTimezone } from './query.ts';

const minuteMs = 60_000;
/** What roll-ups tell apart. */
export const quarterMs = 15 * minuteMs;
const hourMs = 60 * minuteMs;
export const dayMs = 24 * 60 * minuteMs;

/** What a question means, before it is known what tells it. */
export interface AskedRange {
  /** To the minute. */
  range: Range;
  /** Since when rows are kept. */
  rowsSince: Date;
  /** Whether hours of the time zone are hours of UTC, all of that time. */
  hasWholeHours: boolean;
}

/** The range that a question means. Throws EmptyRange and UnknownTimezone. */
export async function findRange(
  trx: Knex,
  asked: Pick<AnalyticsQuery, 'from' | 'to' | 'timezone'>,
): Promise<AskedRange> {
  const { rowsSince, hasWholeHours, ...found } = await resolveRange(trx, asked);
  if (found.from >= found.to) throw new EmptyRange('the range is empty');
  return { range: widen(found, minuteMs), rowsSince: rowsSince ?? new Date(0), hasWholeHours };
}

type ResolvedRange = Range & { rowsSince: Date | null; hasWholeHours: boolean };

async function resolveRange(
  trx: Knex,
  { from, to, timezone }: Pick<AnalyticsQuery, 'from' | 'to' | 'timezone'>,
): Promise<ResolvedRange> {
  try {
    return onlyRow(
      await trx.raw<{ rows: ResolvedRange[] }>(
        `select begins.at as "from", ends.at as "to", nullif(rows_since, '-infinity') as "rowsSince",
              not exists (
                select from (select ends.at union all select generate_series(begins.at, ends.at, interval '1 month')) as sample (at)
                where extract(minute from sample.at at time zone :timezone) <> extract(minute from sample.at at time zone 'UTC')
              ) as "hasWholeHours"
       from analytics_state, coalesce(
         cast(:toTime as timestamptz), ${firstMomentOf(`cast(:toDay as timestamp) + interval '1 day'`)},
         ${firstMomentOf(`date_trunc('day', ${localTimeOf('now()')} + interval '1 day')`)}
       ) as ends (at), coalesce(
         cast(:fromTime as timestamptz), ${firstMomentOf('cast(:fromDay as timestamp)')},
         ${firstMomentOf(`${localTimeOf('ends.at')} - interval '30 days'`)}
       ) as begins (at)`,
        { ...columnsOf('from', from), ...columnsOf('to', to), timezone },
      ),
    );
  } catch (error) {
    // Of the parameters, only the time zone can be invalid.
    if (isInvalidParameter(error)) throw new UnknownTimezone(timezone, { cause: error });
    throw error;
  }
}

/** The range before: of a day or more, as long on the clocks of the time zone, so that that of seven days begins seven days before;
 *  of less, which clocks that are set back may show as nothing, as long as it is. */
export async function findPrevious(trx: Knex, range: Range, timezone: string): Promise<Range> {
  const { from } = onlyRow(
    await trx.raw<{ rows: { from: Date }[] }>(
      `select case when ends - begins >= interval '1 day' then ${firstMomentOf('begins - (ends - begins)')}
                   else cast(:from as timestamptz) - (cast(:to as timestamptz) - cast(:from as timestamptz)) end as "from"
       from (select ${localTimeOf('cast(:from as timestamptz)')} as begins,
                    ${localTimeOf('cast(:to as timestamptz)')} as ends) as range`,
      { ...range, timezone },
    ),
  );
  return { from, to: range.from };
}

const columnsOf = (name: 'from' | 'to', moment: Moment | undefined) => ({
  [`${name}Time`]: moment instanceof Date ? moment : null,
  [`${name}Day`]: typeof moment === 'string' ? moment : null,
});

export const floor = (at: Date, unitMs: number) => new Date(Math.floor(at.getTime() / unitMs) * unitMs);
export const ceil = (at: Date, unitMs: number) => new Date(Math.ceil(at.getTime() / unitMs) * unitMs);

/** The range with the rest of the units that it begins and ends in. */
export const widen = ({ from, to }: Range, unitMs: number): Range => ({
  from: floor(from, unitMs),
  to: ceil(to, unitMs),
});

const isOf =
  (unitMs: number) =>
  ({ from, to }: Range) =>
    from.getTime() % unitMs === 0 && to.getTime() % unitMs === 0;

/** Whether a range begins and ends with an hour. */
export const isOfHours = isOf(hourMs);

/** Whether it begins and ends with a day of UTC. */
export const isOfDays = isOf(dayMs);

/** The whole days of UTC in a range. Without any they are an empty range at its end. */
export function wholeDays({ from, to }: Range): Range {
  const days = { from: ceil(from, dayMs), to: floor(to, dayMs) };
  return days.from < days.to ? days : { from: to, to };
}

/** The range as finely as clicks by value are known: to a quarter of an hour where rows are kept, and whole days of UTC where not. */
export const widenForValues = ({ from, to }: Range, rowsSince: Date): Range => ({
  from: floor(from, from < rowsSince ? dayMs : quarterMs),
  to: ceil(to, floor(to, dayMs) < rowsSince ? dayMs : quarterMs),
});
