/** ISO 8601 dates with an optional time and offset; the default offset is UTC. */
const iso =
  /^(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?))? ?(?:([Zz]|[+-]\d\d(?::?\d\d)?)|UTC|GMT)?$/;
/** What Date.parse reads in the same way, if the day exists. */
const usual = /^\d{4}-\d\d-(\d\d)T\d\d:\d\d:\d\d(?:\.\d{3})?Z$/;
/** Dates of e-mails (RFC 5322) and of JavaScript, only with an offset: the default would be the time zone of this machine. */
const named =
  /^[A-Z][a-z]{2},? (?:\d{1,2} [A-Z][a-z]{2}|[A-Z][a-z]{2} \d{1,2}) \d{4} \d\d:\d\d:\d\d (?:GMT|UTC|[+-]\d{4}|GMT[+-]\d{4})(?: \([\w ]+\))?$/;
/** Unix time in seconds or milliseconds, by its length: from 2001 to 2286. */
const epoch = /^(\d{10})(\d{3})?$/;

const lastMs = Date.parse('9999-12-31T23:59:59.999Z');

/** Parses a time of a service; undefined when it is invalid or after the year 9999. */
export function readTime(given: unknown): Date | undefined {
  const at =
    typeof given === 'string' || typeof given === 'number' ? parse(String(given).trim()) : Number.NaN;
  return Number.isNaN(at) || at > lastMs ? undefined : new Date(at);
}

function parse(text: string): number {
  const [, day] = usual.exec(text) ?? [];
  const at = day === undefined ? Number.NaN : Date.parse(text);
  if (new Date(at).getUTCDate() === Number(day) && text > '0001') return at;
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

/** Whether the day exists; Date.parse turns 30 February into a day of March. */
function isDay(date: string): boolean {
  const at = Date.parse(`${date}T00:00Z`);
  return !Number.isNaN(at) && date > '0001' && new Date(at).toISOString().startsWith(date);
}
