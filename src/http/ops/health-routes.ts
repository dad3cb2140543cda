import { z } from 'zod';
import { conditionCodes } from '../../resilience/conditions.ts';
import type { PublicRoutes } from '../routes/public-route.ts';
import { timestamp } from '../routes/schemas.ts';

const storeCheck = z.object({
  status: z.enum(['up', 'down']),
  latency_ms: z.number().describe('Duration of the check'),
});

export const check = storeCheck.extend({
  breaker: z.enum(['closed', 'open', 'half-open']).describe('State of the circuit breaker'),
});

export const replicaCheck = check.extend({
  lag_seconds: z
    .number()
    .nullable()
    .describe('Time until the standby had replayed what the primary had committed; null while it is unknown'),
});

export const capabilities = z.object({
  redirects: z
    .enum(['all', 'cached', 'memory'])
    .describe('`cached`: those in Redis or in memory; `memory`: those in the memory of this process'),
  api: z.enum(['all', 'read_only', 'none']),
  jobs: z.boolean(),
  clicks: z.enum(['redis', 'postgres', 'memory']).describe('Where recorded clicks go'),
});

/** The part of a health report that every process has. */
const commonHealth = z.object({
  status: z.enum(['healthy', 'degraded', 'unhealthy']),
  timestamp,
  version: z.string(),
  conditions: z
    .array(
      z.object({
        code: z.enum(conditionCodes),
        reason: z.string().describe('The cause, and what the operator can do'),
        since: timestamp,
        title: z.string(),
        effect: z.string().describe('What visitors and clients notice'),
        action: z.string().describe('What to do in general; `reason` is about this case'),
      }),
    )
    .describe('What keeps the process from being healthy'),
});

const healthBody = commonHealth.extend({
  works: capabilities,
  kgs_pool_size: z.int().nullable().describe('Keys in the pool; null while Redis does not answer'),
  clicks: z.object({
    lag_seconds: z.number().describe('Age of the oldest click that is not in PostgreSQL'),
    waiting_batches: z.int().nullable().describe('Batches in Redis; null while Redis does not answer'),
    unconfirmed_batches: z.int().describe('Batches of this process that are not confirmed in PostgreSQL'),
    dropped_clicks: z
      .int()
      .describe('Clicks that were dropped because memory was full; they are never counted'),
  }),
  load: z.object({
    event_loop_delay_ms: z.int(),
    rejected_share: z
      .object({ api: z.number(), redirects: z.number() })
      .describe('Share of requests that load shedding rejects'),
  }),
  checks: z.object({
    postgres: check,
    redis: check,
    redis_cache: check.optional().describe('Only with `REDIS_CACHE_URL`'),
    postgres_replica: replicaCheck.optional().describe('Only with `DATABASE_REPLICA_URL`'),
  }),
});

const workerHealthBody = commonHealth.extend({
  queues: z.array(z.string()),
  active_jobs: z.int(),
  checks: z.object({
    postgres: storeCheck,
    redis: storeCheck,
    redis_cache: storeCheck.optional().describe('Only with `REDIS_CACHE_URL`'),
  }),
});

export type HealthBody = z.input<typeof healthBody>;
export type WorkerHealthBody = z.input<typeof workerHealthBody>;

/** Health of a web process. */
export const healthRoutes = {
  getHealth: {
    method: 'get',
    path: '/health',
    summary: 'Get health',
    description: 'The report of one web process: what works, and the conditions that degrade it.',
    replies: {
      200: { description: 'PostgreSQL or Redis is available.', body: healthBody },
      503: { description: 'Neither PostgreSQL nor Redis is available.', body: healthBody },
    },
    problems: [],
  },
  getLiveness: {
    method: 'get',
    path: '/health/live',
    summary: 'Get liveness',
    description: 'For orchestrators, which restart a process that does not answer.',
    replies: {
      200: { description: 'The process is running.', body: z.object({ status: z.literal('live') }) },
    },
    problems: [],
  },
  getReadiness: {
    method: 'get',
    path: '/health/ready',
    summary: 'Get readiness',
    description: 'For load balancers, which send requests to ready processes only.',
    replies: {
      200: {
        description: 'The process can serve redirects.',
        body: z.object({ status: z.literal('ready') }),
      },
      503: {
        description: 'The process cannot serve redirects, or is shutting down.',
        body: z.object({ status: z.literal('not ready') }),
      },
    },
    problems: [],
  },
} as const satisfies PublicRoutes;

/** Health of a worker process. */
export const workerHealthRoutes = {
  ...healthRoutes,
  getHealth: {
    ...healthRoutes.getHealth,
    replies: {
      200: { description: 'PostgreSQL and Redis are available.', body: workerHealthBody },
      503: { description: 'PostgreSQL or Redis is unavailable.', body: workerHealthBody },
    },
  },
} as const satisfies PublicRoutes;
