import { z } from 'zod';

/** RFC 3339 in every form that it allows: "t" and "z" in lower case, a space instead of "T", any number of decimals, `-00:00`.
 *  Seconds are optional. */
const pattern =
  /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(?:[Zz]|([+-])(\d\d):(\d\d))$/;

/** A query in which the "+" of an offset is not encoded: it arrives as a space. */
const lostPlus = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(?::\d\d(?:\.\d+)?)? \d\d:\d\d$/;

export const mustBeTime = 'must be a time such as 2027-01-31T12:00:00Z';

/** Parses RFC 3339, to the millisecond; undefined for other text. A leap second, valid only at the end of a UTC day, becomes the
 *  second after it, as in PostgreSQL. */
export function parseTime(text: string): Date | undefined {
  const parts = pattern.exec(text);
  if (!parts) return undefined;
  const numberOf = (group: number) => Number(parts[group] ?? 0);
  const [year, month, day] = [numberOf(1), numberOf(2), numberOf(3)];
  const [hour, minute, second] = [numberOf(4), numberOf(5), numberOf(6)];
  const [offsetHours, offsetMinutes] = [numberOf(9), numberOf(10)];
  if (hour > 23 || minute > 59 || second > 60 || offsetHours > 23 || offsetMinutes > 59) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  // Date turns 30 February into a day of March.
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  const offset = (parts[8] === '-' ? -1 : 1) * (offsetHours * 60 + offsetMinutes);
  date.setUTCHours(hour, minute - offset, 0, 0);
  if (second === 60 && (date.getUTCHours() !== 23 || date.getUTCMinutes() !== 59)) return undefined;
  const milliseconds = second === 60 ? 0 : Number((parts[7] ?? '').slice(0, 3).padEnd(3, '0'));
  return new Date(date.getTime() + second * 1_000 + milliseconds);
}

/** A time in RFC 3339, with an offset from UTC. */
export const time = z
  .string(mustBeTime)
  .meta({ format: 'date-time' })
  .transform((text, context) => readTime(text, context, mustBeTime));

/** A time in RFC 3339 from the beginning of one year to the end of another, in UTC. */
export const timeInYears = (first: number, last: number) =>
  time.refine((at) => at.getUTCFullYear() >= first && at.getUTCFullYear() <= last, {
    error: `must be between the years ${first} and ${last}`,
    abort: true,
  });

/** Parses a time; adds an issue to the context when it is invalid. */
export function readTime(text: string, context: z.RefinementCtx, mustBe: string): Date {
  const at = parseTime(text);
  if (at) return at;
  const message = lostPlus.test(text) ? `${mustBe}; encode "+" as %2B in a query` : mustBe;
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
}
