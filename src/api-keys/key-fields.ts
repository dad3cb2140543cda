import { z } from 'zod';
import { scopes } from './scopes.ts';

/** What would break a line, or show a list of keys in another order than it is in. */
const unprintable = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u;

/** A name for a key: one line, as lists of keys show it. */
export const keyName = z
  .string('must be text')
  .trim()
  .min(1, 'must not be empty')
  .max(100, 'must be at most 100 characters')
  .refine((name) => !unprintable.test(name), 'must be one line without control characters');

/** What a key may do: each scope once, in their usual order. */
export const keyScopes = z
  .array(z.enum(scopes, `must be one of ${scopes.join(', ')}`), 'must be a list of scopes')
  .min(1, 'must hold at least one scope')
  .max(100, 'must hold at most 100 scopes')
  .transform((given) => scopes.filter((scope) => given.includes(scope)));

/** How long, after a rotation, what the key was before is valid too: a day unless it is said, and a month at most. */
export const graceHours = z
  .number('must be a number')
  .min(0, 'must be at least 0')
  .max(720, 'must be at most 720')
  .default(24);
