import { textLimits } from '../../urls/input/texts.ts';
import { readTime } from './time.ts';

/** What became of a value that a row is imported without, or with less of it. */
export type WarningCode = 'dropped' | 'shortened' | 'cleaned';

export interface ValueWarning {
  code: WarningCode;
  /** The end of a sentence that begins with the field's name; it holds nothing of the value. */
  reason: string;
}

/** A value that may be missing without harm to the short URL, and what is to be said about it. */
export interface Secondary<T> {
  value: T | undefined;
  warning?: ValueWarning;
}

/** Reads a value of a row that is not refused for it: what cannot be kept is dropped, shortened or cleaned. */
export type ReadSecondary<T> = (given: unknown) => Secondary<T>;

const dropped = (reason: string): Secondary<never> => ({
  value: undefined,
  warning: { code: 'dropped', reason: `${reason} and was dropped` },
});

const control = /[\p{Cc}\p{Cs}]/u;
const controlInLines = /(?![\n\t])[\p{Cc}\p{Cs}]/u;

/** Text without control characters: line breaks and tabs become spaces, unless it may have lines. */
const clean = (text: string, lines: boolean) =>
  lines
    ? text.replaceAll(/\r\n?/g, '\n').replaceAll(new RegExp(controlInLines, 'gu'), '')
    : text
        .replaceAll(/\s*[\t\n\v\f\r\u0085]\s*/g, ' ')
        .replaceAll(new RegExp(control, 'gu'), '')
        .trim();

/** What stands for bytes that are not of the character set. */
const damageOf = (text: string): { warning?: ValueWarning } =>
  text.includes('\uFFFD')
    ? {
        warning: {
          code: 'cleaned',
          reason: 'has characters that could not be read, which U+FFFD stands for',
        },
      }
    : {};

/** Reads text of at most `max` characters as people count them; with `lines` it may have line breaks. */
export function text({ max, lines = false }: { max: number; lines?: boolean }): ReadSecondary<string> {
  return (given) => {
    const isText = ['string', 'number', 'boolean'].includes(typeof given);
    if (!isText) return dropped('was no text');
    const all = String(given);
    const cleaned = clean(all, lines);
    if (cleaned === '') return dropped('had only control characters');
    const characters = Array.from(cleaned);
    if (characters.length > max) {
      const reason = `had ${characters.length} characters, of which the first ${max} are kept`;
      return { value: characters.slice(0, max).join('').trimEnd(), warning: { code: 'shortened', reason } };
    }
    const isChanged = (lines ? controlInLines : control).test(
      lines ? all.replaceAll('\r\n', '\n') : all.trim(),
    );
    if (!isChanged) return { value: cleaned, ...damageOf(cleaned) };
    const reason = 'had line breaks or control characters, which were replaced or removed';
    return { value: cleaned, warning: { code: 'cleaned', reason } };
  };
}

/** Reads a list of tags: of too many the first ones, of a long one its begin. */
export const tags: ReadSecondary<string[]> = (given) => {
  if (!Array.isArray(given)) return dropped('was no list');
  const read = given.map(text({ max: textLimits.tag }));
  const found = [...new Set(read.flatMap(({ value }) => value ?? []))];
  const value = found.slice(0, textLimits.tags);
  if (found.length > value.length) {
    const reason = `had ${found.length} tags, of which the first ${value.length} are kept`;
    return { value, warning: { code: 'shortened', reason } };
  }
  const [warning] = read.flatMap(({ warning }) => warning ?? []);
  if (!warning) return { value };
  return { value, warning: { code: warning.code, reason: `had a tag that ${warning.reason}` } };
};

/** Reads a whole number from 0 to `max`: of a larger one, `max`. */
export function count(max: number): ReadSecondary<number> {
  return (given) => {
    const text = typeof given === 'number' || typeof given === 'string' ? String(given).trim() : '';
    // As spreadsheets write thousands.
    const digits = /^\d{1,3}(?:,\d{3})+$/.test(text) ? text.replaceAll(',', '') : text.replace(/\.0+$/, '');
    if (!/^\d+$/.test(digits)) return dropped('was no whole number');
    const value = Number(digits);
    if (value <= max) return { value };
    return { value: max, warning: { code: 'shortened', reason: `was above ${max}, which is kept` } };
  };
}

/** Reads a time. */
export const time: ReadSecondary<Date> = (given) => {
  const value = readTime(given);
  return value ? { value } : dropped('was no time');
};

/** Reads one of a few values, as JSON or a text. */
export function oneOf<T extends number>(values: readonly T[]): ReadSecondary<T> {
  return (given) => {
    const value = values.find((one) => String(one) === String(given).trim());
    return value === undefined ? dropped(`was none of ${values.join(', ')}`) : { value };
  };
}

/** Reads yes or no. */
export const flag: ReadSecondary<boolean> = (given) => {
  const text = String(given).trim().toLowerCase();
  if (['true', 't', 'yes', 'y', 'on', '1'].includes(text)) return { value: true };
  if (['false', 'f', 'no', 'n', 'off', '0'].includes(text)) return { value: false };
  return dropped('was neither true nor false');
};
