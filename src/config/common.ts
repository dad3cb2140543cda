import { isIP } from 'node:net';
import { z } from 'zod';
import { wholeNumberText } from '../validation/integer.ts';
import { database } from './database.ts';
import { redis } from './redis.ts';
import { flag } from './values.ts';

/** Settings of web and worker processes. */
export const common = {
  ...database,
  ...redis,
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
      error: 'must be one of fatal, error, warn, info, debug, trace, silent',
    })
    .default('info')
    .describe('Minimum log level'),
  CACHE_TTL_SECONDS: wholeNumberText(10, 86_400).default(3_600).describe('TTL of cache entries in Redis'),
  CLICK_SHARDS: wholeNumberText(1, 64)
    .default(1)
    .describe(
      'Redis streams for clicks, to each of them those of a part of the short URLs; the same in every process; can be raised, but not lowered',
    ),
  KEY_POOL_TARGET: wholeNumberText(100, 10_000_000)
    .default(100_000)
    .describe('Keys in the pool after a replenishment'),
  RETENTION_DAYS: wholeNumberText(0, 36_500)
    .default(30)
    .describe('Days until a deleted or expired short URL is purged; the same in every process'),
  CODE_REUSE_AFTER_DAYS: wholeNumberText(0, 36_500)
    .default(90)
    .describe(
      'Days until the generated short code of a purged short URL may be generated again; the same in every process',
    ),
  TRANSFER_RETENTION_DAYS: wholeNumberText(1, 3_650)
    .default(7)
    .describe(
      'Days until finished imports and exports are deleted, with their files and error reports; the same in every process',
    ),
  ANALYTICS_RETENTION_DAYS: wholeNumberText(1, 36_500)
    .default(90)
    .describe(
      'Days (UTC) until click events are deleted; roll-ups are kept permanently; the same in every process',
    ),
  CODES_IGNORE_CASE: flag(false).describe(
    'Whether upper and lower case are the same in short codes, which are stored in lower case; the same in every process; needs `npm run fold-codes` once',
  ),
  FETCH_TITLES: flag(false).describe(
    'Whether a short URL that is created without a title gets that of its page, which a worker reads from public addresses only; the same in every process',
  ),
  SHUTDOWN_DEADLINE_MS: wholeNumberText(1_000, 600_000)
    .default(20_000)
    .describe('Time limit of a graceful shutdown, in milliseconds'),
};

/** Settings of an HTTP endpoint. */
export const endpoint = {
  HOST: z
    .string()
    .transform((host) => host.replace(/^\[(.*)\]$/, '$1'))
    .refine((host) => isIP(host) > 0 || /^[a-z\d](?:[\w.-]*[a-z\d])?\.?$/i.test(host), {
      error: 'must be an IP address or a host name, such as 127.0.0.1 or ::',
    })
    .optional()
    .describe(
      'Address on which the web process and the endpoint of a worker listen; default: every IPv6 and IPv4 address (`::`, or `0.0.0.0` without IPv6)',
    ),
  METRICS_TOKEN: z
    .string()
    .min(8, 'must be at least 8 characters')
    .optional()
    .describe('Bearer token of `/metrics`; without it `/metrics` is off, unless `METRICS_PUBLIC` is set'),
  METRICS_PUBLIC: flag(false).describe('Serves `/metrics` without a token'),
};
