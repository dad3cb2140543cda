import { z } from 'zod';
import { scopes } from './scopes.ts';

/** Characters that break a line, or reorder text in lists of keys. */
const unprintable = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u;

/** The name of a key: one line. */
export const keyName = z
  .string('must be a string')
  .trim()
  .min(1, 'must not be empty')
  .max(100, 'must be at most 100 characters')
  .refine((name) => !unprintable.test(name), 'must be one line without control characters');

/** The longest beginning of a text that can be the name of a key; undefined for none. */
export function toKeyName(text: string): string | undefined {
  const line = text.replaceAll(new RegExp(unprintable, 'gu'), ' ').replaceAll(/\s+/g, ' ').trim();
  const { success, data } = keyName.safeParse(Array.from(line).slice(0, 50).join(''));
  return success ? data : undefined;
}

/** The scopes of a key, without duplicates and in the order of `scopes`. */
export const keyScopes = z
  .array(z.enum(scopes, `must be one of ${scopes.join(', ')}`), 'must be a list of scopes')
  .min(1, 'must contain at least 1 scope')
  .max(100, 'must contain at most 100 scopes')
  .transform((given) => scopes.filter((scope) => given.includes(scope)));

/** Hours for which the old secret stays valid after a rotation: 24 by default, up to 30 days. */
export const graceHours = z
  .number('must be a number')
  .min(0, 'must be at least 0')
  .max(720, 'must be at most 720')
  .default(24);
