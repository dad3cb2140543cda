import type { ParseArgsConfig } from 'node:util';
import { z } from 'zod';
import { graceHours, keyName, keyScopes } from '../api-keys/key-fields.ts';

/** Types of the options for the parser. */
export const optionTypes = {
  name: { type: 'string' },
  scopes: { type: 'string' },
  'own-urls-only': { type: 'boolean' },
  'expires-in-days': { type: 'string' },
  id: { type: 'string' },
  'grace-hours': { type: 'string' },
  json: { type: 'boolean' },
} as const satisfies ParseArgsConfig['options'];

const decimal = z
  .string('is required')
  .regex(/^\d{1,15}(\.\d{1,9})?$/, 'must be a number')
  .transform(Number);
const id = decimal.pipe(z.int('must be a whole number'));
const json = z.boolean().default(false);

/** The options of each command. */
export const commandOptions = {
  create: z.strictObject({
    name: z.string('is required').pipe(keyName),
    scopes: z
      .string()
      .default('admin')
      .transform((text) => text.split(','))
      .pipe(keyScopes),
    'own-urls-only': z.boolean().default(false),
    'expires-in-days': decimal
      .pipe(z.number().positive('must be above 0').max(36_500, 'must be at most 36500'))
      .optional(),
    json,
  }),
  list: z.strictObject({ json }),
  revoke: z.strictObject({ id }),
  rotate: z.strictObject({ id, 'grace-hours': decimal.optional().pipe(graceHours), json }),
  check: z.strictObject({}),
};
