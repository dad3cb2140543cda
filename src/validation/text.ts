import { z } from 'zod';

/** What no column, no header and no page is to hold: control characters, and halves of characters. */
const unfit = /[\p{Cc}\p{Cs}]/u;
const unfitInLines = /(?![\n\t])[\p{Cc}\p{Cs}]/u;

/** Whether a text contains control characters or lone surrogates. */
export const hasControlCharacters = (text: string): boolean => unfit.test(text);

/** Text that is stored, once it is cleaned: so many characters as people count them, none that PostgreSQL refuses. With `lines`
 *  it may have line breaks and tabs. */
export function storedText({
  max,
  lines = false,
  clean = (text) => text,
}: {
  max: number;
  lines?: boolean;
  clean?: (text: string) => string;
}) {
  const isFit = (text: string) => !(lines ? unfitInLines : unfit).test(text);
  const hasLength = (text: string) => text !== '' && Array.from(text).length <= max;
  return z
    .string('must be text')
    .overwrite(clean)
    .refine(isFit, 'must not contain control characters')
    .refine(hasLength, `must have 1 to ${max} characters`)
    .meta({ minLength: 1, maxLength: max });
}
