import { z } from 'zod';

/** A whole number that comes as text: in a setting, a path, a query or a file. */
export function wholeNumber(min: number, max?: number) {
  const number = z.coerce
    .number('must be a number')
    .int('must be a whole number')
    .min(min, `must be at least ${min}`);
  return max === undefined ? number : number.max(max, `must be at most ${max}`);
}
