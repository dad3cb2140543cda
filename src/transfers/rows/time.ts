/** Dates with or without a time, and times with or without an offset from UTC, which they are in otherwise. */
const iso =
  /^(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?))? ?(?:([Zz]|[+-]\d\d(?::?\d\d)?)|UTC|GMT)?$/;
/** As e-mails (RFC 5322) and JavaScript write them; only with an offset, since its default would be this machine's. */
const named =
  /^[A-Z][a-z]{2},? (?:\d{1,2} [A-Z][a-z]{2}|[A-Z][a-z]{2} \d{1,2}) \d{4} \d\d:\d\d:\d\d (?:GMT|UTC|[+-]\d{4}|GMT[+-]\d{4})(?: \([\w ]+\))?$/;
/** Seconds or milliseconds since 1970, by their length: from 2001 to 2286. */
const epoch = /^(\d{10})(\d{3})?$/;

const lastMs = Date.parse('9999-12-31T23:59:59.999Z');

/** The time that a service writes so; undefined for what is no time, or none that PostgreSQL and JSON can both write. */
export function readTime(given: unknown): Date | undefined {
  const at =
    typeof given === 'string' || typeof given === 'number' ? parse(String(given).trim()) : Number.NaN;
  return Number.isNaN(at) || at > lastMs ? undefined : new Date(at);
}

function parse(text: string): number {
  const [, seconds, milliseconds = '000'] = epoch.exec(text) ?? [];
  if (seconds) return Number(seconds + milliseconds);
  if (named.test(text)) return Date.parse(text.replace(/ \(.*$/, ''));
  const [, date, time = '00:00', offset = 'Z'] = iso.exec(text) ?? [];
  if (!date || !isDay(date)) return Number.NaN;
  const zone = offset
    .toUpperCase()
    .replace(/^(.\d\d):?(\d\d)?$/, (_, sign: string, minutes = '00') => `${sign}:${minutes}`);
  return Date.parse(`${date}T${time.replace(',', '.')}${zone}`);
}

/** Whether there is such a day. The parser itself does not ask: to it, 30 February is in March. */
function isDay(date: string): boolean {
  const at = Date.parse(`${date}T00:00Z`);
  return !Number.isNaN(at) && date > '0001' && new Date(at).toISOString().startsWith(date);
}
