import { z } from 'zod';
import { capabilities, check, replicaCheck } from '../../ops/health-routes.ts';
import { timestamp } from '../../routes/schemas.ts';

const rate = z.number().nullable();
const column = z.array(rate);

const trouble = z.object({
  id: z
    .string()
    .describe('A condition of `/health`, or `clicks_late`, `clicks_dropped`, `requests_rejected`'),
  title: z.string(),
  cause: z.string(),
  since: timestamp.nullable(),
  effect: z.string().describe('What visitors and clients notice'),
  action: z.string().describe('What the operator can do'),
  runbook_url: z.string(),
});

/** The state of the service for the people who run it. */
export const serviceState = z.object({
  status: z
    .enum(['healthy', 'degraded', 'unhealthy'])
    .describe('At least `degraded` while a trouble is listed'),
  version: z.string(),
  troubles: z
    .array(trouble)
    .describe('Conditions of the web processes of this machine, oldest first, then what the numbers show'),
  works: capabilities.describe('As the web process that answers sees it'),
  clicks: z.object({
    oldest_ms: z
      .int()
      .describe(
        'Age of the oldest click in Redis, or in a web process of this machine, that is not in PostgreSQL',
      ),
    waiting_batches: z.int().nullable().describe('Batches in Redis; null while Redis does not answer'),
    unconfirmed_batches: z
      .int()
      .describe('Batches of the web processes of this machine that are not confirmed in PostgreSQL'),
    dropped: z.int().describe('Clicks that these processes have dropped since their start'),
  }),
  stores: z
    .object({
      postgres: check,
      redis: check.extend({
        used_bytes: z.int().nullable(),
        max_bytes: z.int().nullable().describe('0 without a limit'),
        policy: z.string().nullable().describe('`maxmemory-policy`'),
      }),
      redis_cache: check.optional().describe('Only with `REDIS_CACHE_URL`'),
      postgres_replica: replicaCheck.optional().describe('Only with `DATABASE_REPLICA_URL`'),
    })
    .describe('As the web process that answers sees them'),
  processes: z.object({
    web: z.int().nullable().describe('Web processes of this machine; null if they cannot be counted'),
    workers: z.int().nullable().describe('Worker processes with a heartbeat within the last 15 s'),
    last_worker_seen_ms: z.int().nullable().describe('Time since the last heartbeat of any worker'),
  }),
  key_pool: z.object({
    size: z.int().nullable(),
    target: z.int(),
    low_watermark: z.int().describe('Size below which the pool is replenished'),
    consumption_per_s: rate.describe('Keys per second of the last five minutes'),
    empty_in_s: z
      .int()
      .nullable()
      .describe('Time until the pool is empty at this rate without replenishment'),
  }),
  rates: z
    .object({
      redirects_per_s: rate,
      api_per_s: rate,
      errors_5xx_per_s: rate.describe('With the requests that load shedding rejects'),
      redirect_p99_ms: rate.describe('99th percentile of the redirects that are measured, one in 64'),
    })
    .describe('The last minute of the web processes of this machine; null where nothing was measured'),
  series: z
    .object({
      interval_s: z.int(),
      begins_at: timestamp,
      redirects_per_s: column,
      api_per_s: column,
      errors_5xx_per_s: column,
      redirect_p99_ms: column,
    })
    .describe('The same rates for each interval of the last 15 minutes; a process forgets them when it ends'),
  load: z
    .object({
      event_loop_delay_ms: z.int(),
      rejected_share: z
        .object({ api: z.number(), redirects: z.number() })
        .describe('Share of requests that load shedding rejects'),
    })
    .describe('The highest value of the web processes of this machine'),
});

export type ServiceState = z.input<typeof serviceState>;
export type Trouble = z.input<typeof trouble>;
