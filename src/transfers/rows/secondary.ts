import { textLimits } from '../../urls/input/texts.ts';
import { readTime } from './time.ts';

/** How an invalid value was changed. */
export type WarningCode = 'dropped' | 'shortened' | 'cleaned';

export interface ValueWarning {
  code: WarningCode;
  /** The end of a sentence that begins with the name of the field; contains no part of the value. */
  reason: string;
}

/** An optional value of a row, perhaps with a warning. */
export interface Secondary<T> {
  value: T | undefined;
  warning?: ValueWarning;
}

/** Reads an optional value: an invalid one is dropped, shortened or cleaned with a warning. */
export type ReadSecondary<T> = (given: unknown) => Secondary<T>;

const dropped = (reason: string): Secondary<never> => ({
  value: undefined,
  warning: { code: 'dropped', reason: `${reason} and was dropped` },
});

const control = /[\p{Cc}\p{Cs}]/u;
const controlInLines = /(?![\n\t])[\p{Cc}\p{Cs}]/u;

/** Whether a text is printable ASCII, as most are: only its length can be wrong. */
const isPlain = (text: string) => /^[ -~]+$/.test(text);

/** Removes control characters. Line breaks and tabs become spaces unless `lines` is true. */
const clean = (text: string, lines: boolean) =>
  lines
    ? text.replaceAll(/\r\n?/g, '\n').replaceAll(new RegExp(controlInLines, 'gu'), '')
    : text
        .replaceAll(/\s*[\t\n\v\f\r\u0085]\s*/g, ' ')
        .replaceAll(new RegExp(control, 'gu'), '')
        .trim();

/** A warning for U+FFFD, which replaces undecodable bytes. */
const decodingWarningOf = (text: string): { warning?: ValueWarning } =>
  text.includes('\uFFFD')
    ? {
        warning: {
          code: 'cleaned',
          reason: 'has undecodable characters, which were replaced with U+FFFD',
        },
      }
    : {};

/** Reads text of at most `max` code points; with `lines` it may contain line breaks. */
export function text({ max, lines = false }: { max: number; lines?: boolean }): ReadSecondary<string> {
  return (given) => {
    const isText = ['string', 'number', 'boolean'].includes(typeof given);
    if (!isText) return dropped('was not a text');
    const all = String(given);
    if (isPlain(all)) {
      const value = lines ? all : all.trim();
      if (value !== '' && value.length <= max) return { value };
    }
    const cleaned = clean(all, lines);
    if (cleaned === '') return dropped('had only control characters');
    const characters = Array.from(cleaned);
    if (characters.length > max) {
      const reason = `had ${characters.length} characters and was shortened to ${max}`;
      return { value: characters.slice(0, max).join('').trimEnd(), warning: { code: 'shortened', reason } };
    }
    const isChanged = (lines ? controlInLines : control).test(
      lines ? all.replaceAll('\r\n', '\n') : all.trim(),
    );
    if (!isChanged) return { value: cleaned, ...decodingWarningOf(cleaned) };
    const reason = 'had line breaks or control characters, which were replaced or removed';
    return { value: cleaned, warning: { code: 'cleaned', reason } };
  };
}

const tag = text({ max: textLimits.tag });

/** Reads a list of tags; keeps the first ones and shortens long ones. */
export const tags: ReadSecondary<string[]> = (given) => {
  if (!Array.isArray(given)) return dropped('was not a list');
  const read = given.map(tag);
  const found = [...new Set(read.flatMap(({ value }) => value ?? []))];
  const value = found.slice(0, textLimits.tags);
  if (found.length > value.length) {
    const reason = `had ${found.length} tags and was shortened to ${value.length}`;
    return { value, warning: { code: 'shortened', reason } };
  }
  const [warning] = read.flatMap(({ warning }) => warning ?? []);
  if (!warning) return { value };
  return { value, warning: { code: warning.code, reason: `had a tag that ${warning.reason}` } };
};

/** Reads an integer from 0 to `max`; a larger one becomes `max`. */
export function count(max: number): ReadSecondary<number> {
  return (given) => {
    const text = typeof given === 'number' || typeof given === 'string' ? String(given).trim() : '';
    // Spreadsheets write thousands separators.
    const digits = /^\d{1,3}(?:,\d{3})+$/.test(text) ? text.replaceAll(',', '') : text.replace(/\.0+$/, '');
    if (!/^\d+$/.test(digits)) return dropped('was not a whole number');
    const value = Number(digits);
    if (value <= max) return { value };
    return {
      value: max,
      warning: { code: 'shortened', reason: `was above the maximum and was set to ${max}` },
    };
  };
}

/** Reads a time. */
export const time: ReadSecondary<Date> = (given) => {
  const value = readTime(given);
  return value ? { value } : dropped('was not a time');
};

/** Reads one of these values, as a number or a text. */
export function oneOf<T extends number>(values: readonly T[]): ReadSecondary<T> {
  return (given) => {
    const value = values.find((one) => String(one) === String(given).trim());
    return value === undefined ? dropped(`was not one of ${values.join(', ')}`) : { value };
  };
}

/** Reads a boolean. */
export const flag: ReadSecondary<boolean> = (given) => {
  const text = String(given).trim().toLowerCase();
  if (['true', 't', 'yes', 'y', 'on', '1'].includes(text)) return { value: true };
  if (['false', 'f', 'no', 'n', 'off', '0'].includes(text)) return { value: false };
  return dropped('was neither true nor false');
};
