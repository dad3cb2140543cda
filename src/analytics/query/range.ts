import { isInvalidParameter } from '../../storage/postgres/errors.ts';
import { type Knex, onlyRow } from '../../storage/postgres/postgres.ts';
import { firstMomentOf, localTimeOf } from './local-time.ts';
import { type AnalyticsQuery, EmptyRange, type Moment, type Range, UnknownTimezone } from './query.ts';

const minuteMs = 60_000;
/** Resolution of the roll-ups. */
export const quarterMs = 15 * minuteMs;
const hourMs = 60 * minuteMs;
export const dayMs = 24 * 60 * minuteMs;

/** The range of a query, before its source is chosen. */
export interface RequestedRange {
  /** Rounded to minutes. */
  range: Range;
  /** Start of the retention of click events. */
  eventsSince: Date;
  /** Whether hours in the time zone coincide with UTC hours over the whole range. */
  hasWholeHours: boolean;
}

/** Resolves the range of a query. Throws EmptyRange and UnknownTimezone. */
export async function findRange(
  trx: Knex,
  requested: Pick<AnalyticsQuery, 'from' | 'to' | 'timezone'>,
): Promise<RequestedRange> {
  const { eventsSince, hasWholeHours, ...resolved } = await resolveRange(trx, requested);
  if (resolved.from >= resolved.to) throw new EmptyRange('the range is empty');
  return { range: widen(resolved, minuteMs), eventsSince: eventsSince ?? new Date(0), hasWholeHours };
}

type ResolvedRange = Range & { eventsSince: Date | null; hasWholeHours: boolean };

async function resolveRange(
  trx: Knex,
  { from, to, timezone }: Pick<AnalyticsQuery, 'from' | 'to' | 'timezone'>,
): Promise<ResolvedRange> {
  try {
    return onlyRow(
      await trx.raw<{ rows: ResolvedRange[] }>(
        `select begins.at as "from", ends.at as "to", nullif(events_since, '-infinity') as "eventsSince",
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
        { ...bindingsOf('from', from), ...bindingsOf('to', to), timezone },
      ),
    );
  } catch (error) {
    // Of the parameters, only the time zone can be invalid.
    if (isInvalidParameter(error)) throw new UnknownTimezone(timezone, { cause: error });
    throw error;
  }
}

/** Returns the previous range. From one day, it has the same length in local time, so that the range before seven
 *  days begins seven days earlier. A shorter range keeps its exact length, since local time may not advance in it. */
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

const bindingsOf = (name: 'from' | 'to', moment: Moment | undefined) => ({
  [`${name}Time`]: moment instanceof Date ? moment : null,
  [`${name}Day`]: typeof moment === 'string' ? moment : null,
});

export const floor = (at: Date, unitMs: number) => new Date(Math.floor(at.getTime() / unitMs) * unitMs);
export const ceil = (at: Date, unitMs: number) => new Date(Math.ceil(at.getTime() / unitMs) * unitMs);

/** Extends the range to whole units. */
export const widen = ({ from, to }: Range, unitMs: number): Range => ({
  from: floor(from, unitMs),
  to: ceil(to, unitMs),
});

const isWhole =
  (unitMs: number) =>
  ({ from, to }: Range) =>
    from.getTime() % unitMs === 0 && to.getTime() % unitMs === 0;

/** Whether a range consists of whole hours. */
export const hasWholeUtcHours = isWhole(hourMs);

/** Whether a range consists of whole UTC days. */
export const hasWholeUtcDays = isWhole(dayMs);

/** Returns the whole UTC days in a range, or an empty range at its end when there is none. */
export function wholeDays({ from, to }: Range): Range {
  const days = { from: ceil(from, dayMs), to: floor(to, dayMs) };
  return days.from < days.to ? days : { from: to, to };
}

/** Extends the range to the resolution of clicks by value: quarters of an hour within the retention of click events,
 *  whole UTC days before it. */
export const widenForValues = ({ from, to }: Range, eventsSince: Date): Range => ({
  from: floor(from, from < eventsSince ? dayMs : quarterMs),
  to: ceil(to, floor(to, dayMs) < eventsSince ? dayMs : quarterMs),
});
