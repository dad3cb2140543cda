import { z } from 'zod';

/** A whole number in JSON. */
export const wholeNumber = (min: number, max?: number) => within(z.int('must be a whole number'), min, max);

/** A whole number as text, in a setting, a path, a query or a file. */
export const wholeNumberText = (min: number, max?: number) =>
  within(z.coerce.number('must be a number').int('must be a whole number'), min, max);

function within<Schema extends z._ZodNumber>(schema: Schema, min: number, max: number | undefined) {
  const number = schema.min(min, `must be at least ${min}`);
  return max === undefined ? number : number.max(max, `must be at most ${max}`);
}
