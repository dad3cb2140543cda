import { z } from 'zod';

/** Control characters, and unpaired surrogates, which PostgreSQL, headers and pages cannot contain. */
const unprintable = /[\p{Cc}\p{Cs}]/u;
const unprintableInLines = /(?![\n\t])[\p{Cc}\p{Cs}]/u;

/** Whether a text contains control characters or lone surrogates. */
export const hasControlCharacters = (text: string): boolean => unprintable.test(text);

const noControlCharacters = 'must not contain control characters';

/** Text that PostgreSQL accepts, up to `max` UTF-16 units; also empty. */
export const plainText = (max: number) =>
  z
    .string('must be a string')
    .max(max, `must have at most ${max} characters`)
    .refine((text) => !unprintable.test(text), noControlCharacters);

/** Text to store, after `clean`: 1 to `max` code points. With `lines` it may contain line breaks and tabs. */
export function storedText({
  max,
  lines = false,
  clean = (text) => text,
}: {
  max: number;
  lines?: boolean;
  clean?: (text: string) => string;
}) {
  const isPrintable = (text: string) => !(lines ? unprintableInLines : unprintable).test(text);
  const hasLength = (text: string) => text !== '' && Array.from(text).length <= max;
  return z
    .string('must be a string')
    .overwrite(clean)
    .refine(isPrintable, noControlCharacters)
    .refine(hasLength, `must have 1 to ${max} characters`)
    .meta({ minLength: 1, maxLength: max });
}
