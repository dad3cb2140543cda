import { z } from 'zod';
import { url } from './values.ts';

/** Settings of Redis. */
export const redis = {
  REDIS_URL: url(/^rediss?$/, 'redis://host:6379').describe(
    'Redis 6.2 or newer with `maxmemory-policy noeviction`',
  ),
  REDIS_PREFIX: z
    .string()
    .regex(/^[\w.-]{1,32}$/, 'must be 1 to 32 letters, digits, "_", "." or "-"')
    .default('linkmill')
    .describe('First part of every Redis key, for a Redis that is shared'),
};
