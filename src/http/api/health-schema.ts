import { z } from 'zod';

const check = z.object({
  status: z.enum(['up', 'down']),
  latency_ms: z.number(),
  breaker: z.enum(['closed', 'open', 'half-open']),
});

/** The body of `/health`, for the OpenAPI document. */
export const healthBody = z.object({
  status: z.enum(['healthy', 'degraded', 'unhealthy']),
  timestamp: z.iso.datetime(),
  version: z.string(),
  conditions: z.array(z.object({ code: z.string(), reason: z.string(), since: z.iso.datetime() })),
  works: z.object({
    redirects: z
      .enum(['all', 'cached', 'memory'])
      .describe('`cached`: those in Redis or in memory; `memory`: those in the memory of this process'),
    api: z.enum(['all', 'read_only', 'none']),
    jobs: z.boolean(),
    clicks: z.enum(['redis', 'postgres', 'memory']).describe('Where recorded clicks go'),
  }),
  kgs_pool_size: z.int().nullable().describe('Keys in the pool; null while Redis does not answer'),
  clicks: z.object({
    lag_seconds: z.number().describe('Age of the oldest click that is not in PostgreSQL'),
    waiting_batches: z.int().nullable(),
    unconfirmed_batches: z.int(),
    dropped_clicks: z.int(),
  }),
  load: z.object({
    event_loop_delay_ms: z.int(),
    rejected_share: z.object({ api: z.number(), redirects: z.number() }),
  }),
  checks: z.object({ postgres: check, redis: check }),
});
