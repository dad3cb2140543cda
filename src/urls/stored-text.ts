import { z } from 'zod';

/** What no column, no header and no page is to hold: control characters, and halves of characters. */
const unfit = /[\p{Cc}\p{Cs}]/u;
const unfitInLines = /(?![\n\t])[\p{Cc}\p{Cs}]/u;

/** Text that is stored: as many characters as people count, none that PostgreSQL refuses. With `lines` it may have line breaks
 *  and tabs. */
export function storedText({ min = 1, max, lines = false }: { min?: number; max: number; lines?: boolean }) {
  const isFit = (text: string) => !(lines ? unfitInLines : unfit).test(text);
  const hasLength = (text: string) => {
    const { length } = Array.from(text);
    return length >= min && length <= max;
  };
  return z
    .string('must be text')
    .refine(isFit, 'must not contain control characters')
    .refine(hasLength, `must have ${min} to ${max} characters`)
    .meta({ minLength: min, maxLength: max });
}
