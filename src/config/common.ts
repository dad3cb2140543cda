import { isIP } from 'node:net';
import { z } from 'zod';
import { wholeNumberText } from '../whole-number.ts';
import { database } from './database.ts';
import { redis } from './redis.ts';
import { flag } from './values.ts';

/** Settings of web and worker processes alike. */
export const common = {
  ...database,
  ...redis,
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
      error: 'must be one of fatal, error, warn, info, debug, trace, silent',
    })
    .default('info')
    .describe('Least level of the JSON log lines'),
  CACHE_TTL_SECONDS: wholeNumberText(10, 86_400).default(3_600).describe('How long Redis keeps a short URL'),
  CLICK_SHARDS: wholeNumberText(1, 64)
    .default(1)
    .describe('Streams that carry clicks, the same for every process; raise it, never lower it'),
  KEY_POOL_TARGET: wholeNumberText(100, 10_000_000)
    .default(100_000)
    .describe('Keys that a replenishment fills the pool up to'),
  SHUTDOWN_DEADLINE_MS: wholeNumberText(1_000, 600_000)
    .default(20_000)
    .describe('Time from SIGTERM until a process gives up finishing its work'),
};

/** What a process with an HTTP endpoint needs. */
export const endpoint = {
  HOST: z
    .string()
    .transform((host) => host.replace(/^\[(.*)\]$/, '$1'))
    .refine((host) => isIP(host) > 0 || /^[a-z\d](?:[\w.-]*[a-z\d])?\.?$/i.test(host), {
      error: 'must be an IP address or a host name, such as 127.0.0.1 or ::',
    })
    .optional()
    .describe(
      'Address that the web process and the endpoint of a worker listen on; every address of the machine unless set, IPv6 and IPv4',
    ),
  METRICS_TOKEN: z
    .string()
    .min(8, 'must be at least 8 characters')
    .optional()
    .describe('Bearer token of `/metrics`; without one there are no metrics, unless they are open'),
  METRICS_OPEN: flag(false).describe('Shows `/metrics` to everybody who can reach the port'),
};
