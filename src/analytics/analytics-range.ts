import { type Knex, onlyRow } from '../postgres.ts';
import { type AnalyticsQuestion, EmptyRange, type Moment, type Range } from './analytics-question.ts';

const minuteMs = 60_000;
/** What roll-ups tell apart. */
export const quarterMs = 15 * minuteMs;
export const dayMs = 24 * 60 * minuteMs;

/** The range that a question means, to the minute, and since when rows are kept. Throws EmptyRange. */
export async function findRange(
  trx: Knex,
  { from, to, timezone }: Pick<AnalyticsQuestion, 'from' | 'to' | 'timezone'>,
): Promise<{ range: Range; rowsSince: Date }> {
  const { rowsSince, ...found } = onlyRow(
    await trx.raw<{ rows: (Range & { rowsSince: Date | null })[] }>(
      `select coalesce(cast(:fromTime as timestamptz), cast(:fromDay as timestamp) at time zone :timezone,
                       ((ends.at at time zone :timezone) - interval '30 days') at time zone :timezone) as "from",
              ends.at as "to", nullif(rows_since, '-infinity') as "rowsSince"
       from analytics_state, coalesce(
         cast(:toTime as timestamptz), (cast(:toDay as timestamp) + interval '1 day') at time zone :timezone,
         date_trunc('day', now() at time zone :timezone + interval '1 day') at time zone :timezone
       ) as ends (at)`,
      { ...columnsOf('from', from), ...columnsOf('to', to), timezone },
    ),
  );
  if (found.from >= found.to) throw new EmptyRange('the range is empty');
  return { range: widen(found, minuteMs), rowsSince: rowsSince ?? new Date(0) };
}

/** The range before, as long on the clocks of the time zone: that of seven days begins seven days before. */
export async function findPrevious(trx: Knex, range: Range, timezone: string): Promise<Range> {
  const { from } = onlyRow(
    await trx.raw<{ rows: { from: Date }[] }>(
      `select (begins - (ends - begins)) at time zone :timezone as "from"
       from (select cast(:from as timestamptz) at time zone :timezone as begins,
                    cast(:to as timestamptz) at time zone :timezone as ends) as range`,
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
