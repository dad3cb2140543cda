import pg from 'pg';

const int8Oid = 20;
const timestamptzOid = 1184;

/** The earliest and the latest time of RFC 3339. */
const earliestMs = Date.parse('0001-01-01T00:00:00.000Z');
const latestMs = Date.parse('9999-12-31T23:59:59.999Z');

/** A value of PostgreSQL has an unexpected format, such as a date that is not in ISO style. */
export class UnreadableValue extends Error {
  override readonly name = 'UnreadableValue';
}

/** The parser of a type for pg. An unreadable value is an error, because null would mean "no limit". */
export function getTypeParser(oid: number, format?: string): (text: string) => unknown {
  if (oid === int8Oid) return safeInteger;
  if (oid === timestamptzOid) return parseTimestamp;
  return pg.types.getTypeParser(oid, format === 'binary' ? 'binary' : 'text');
}

function safeInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`bigint ${text} does not fit a number`);
  return value;
}

const timestampShape =
  /^(\d{4,6})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?( BC)?$/;

/** Parses a `timestamptz` in ISO style, to the millisecond. `infinity` and times outside the years 1 to 9999 become the nearest time within
 *  them. Throws UnreadableValue. */
export function parseTimestamp(text: string): Date {
  if (text === 'infinity') return new Date(latestMs);
  if (text === '-infinity') return new Date(earliestMs);
  const found = timestampShape.exec(text);
  if (!found)
    throw new UnreadableValue(`the timestamp ${text.slice(0, 40)} is not in ISO style with an offset`);
  const [year, month, day, hours, minutes, seconds] = found.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const [milliseconds = '', sign, offsetHours, offsetMinutes = 0, offsetSeconds = 0, era] = found.slice(7);
  const date = new Date(0);
  date.setUTCFullYear(era === undefined ? year : 1 - year, month - 1, day);
  date.setUTCHours(hours, minutes, seconds, Number(milliseconds.padEnd(3, '0').slice(0, 3)));
  const offset = Number(offsetHours) * 3_600 + Number(offsetMinutes) * 60 + Number(offsetSeconds);
  const at = date.getTime() - (sign === '-' ? -offset : offset) * 1_000;
  if (Number.isNaN(at)) return new Date(era === undefined ? latestMs : earliestMs);
  return new Date(Math.min(Math.max(at, earliestMs), latestMs));
}
