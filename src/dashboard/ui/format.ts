/** Creates something when it is first used. */
function lazily<Value>(create: () => Value): () => Value {
  let value: Value | undefined;
  return () => (value ??= create());
}

// The first formatter of a page takes a browser 50 to 100 ms, the others a few.
const numbers = lazily(() => new Intl.NumberFormat());
const compact = lazily(
  () => new Intl.NumberFormat(undefined, { notation: 'compact', maximumFractionDigits: 1 }),
);
const percent = lazily(
  () => new Intl.NumberFormat(undefined, { style: 'percent', maximumFractionDigits: 1 }),
);
const dateTime = lazily(
  () => new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' }),
);
const timeOfDay = lazily(() => new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' }));
const relative = lazily(() => new Intl.RelativeTimeFormat(undefined, { numeric: 'auto', style: 'short' }));
const countries = lazily(() => new Intl.DisplayNames(undefined, { type: 'region', fallback: 'code' }));

/** Prepares the formatters that most screens use, while the browser waits for the service. */
export function prepareFormatters(): void {
  for (const formatter of [numbers, relative, dateTime]) formatter();
}

export const formatNumber = (value: number) => numbers().format(value);
export const formatCompact = (value: number) =>
  value < 10_000 ? formatNumber(value) : compact().format(value);
export const formatPercent = (share: number) => percent().format(share);
export const formatDateTime = (time: string | Date) => dateTime().format(new Date(time));
export const formatTime = (time: string | Date) => timeOfDay().format(new Date(time));

const units = [
  ['year', 365 * 86_400],
  ['month', 30 * 86_400],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
] as const;

/** The distance of a time from now, such as "2 days ago" or "in 3 hr.". */
export function formatRelative(time: string | Date, now = Date.now()): string {
  const seconds = (new Date(time).getTime() - now) / 1_000;
  const [unit, length] = units.find(([, length]) => Math.abs(seconds) >= length) ?? units.at(-1)!;
  return relative().format(Math.trunc(seconds / length), unit);
}

/** A length of time in its two largest units, such as "3 h 20 min". */
export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${(ms / 1_000).toFixed(1)} s`;
  if (ms < 60_000) return `${Math.round(ms / 1_000)} s`;
  const minutes = Math.round(ms / 60_000);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return `${Math.round(hours / 24)} d`;
}

export function formatBytes(bytes: number): string {
  const steps = ['B', 'KB', 'MB', 'GB', 'TB'];
  const step = bytes < 1 ? 0 : Math.min(Math.floor(Math.log(bytes) / Math.log(1_024)), steps.length - 1);
  const value = bytes / 1_024 ** step;
  return `${step === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${steps[step]}`;
}

export function formatCountry(code: string): string {
  try {
    return countries().of(code) ?? code;
  } catch {
    return code;
  }
}

/** Direction marks that could make a text look like another one (UAX #9). */
const bidi = /[\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/gu;

/** A text of a user as it is safe to show. */
export const plain = (text: string) => text.replaceAll(bidi, '');

/** A URL without its scheme, for lists. */
export const shortenUrl = (url: string) =>
  plain(url)
    .replace(/^https?:\/\/(www\.)?/, '')
    .replace(/\/$/, '');
