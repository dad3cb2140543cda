import type { Middleware } from 'koa';
import type { Conditions } from '../../resilience/conditions.ts';
import { answerLive, answerReadiness } from './health.ts';
import { createStoreCheck } from './store-check.ts';

export interface WorkerHealthDeps {
  stores: Record<'postgres' | 'redis', { ping: () => Promise<unknown> }>;
  conditions: Pick<Conditions, 'list' | 'isReady'>;
  /** The queues that this process serves. */
  queues: string[];
  /** Returns the number of jobs that this process runs now. */
  activeJobs: () => number;
  isClosing: () => boolean;
  version: string;
}

/** The health of a worker process: `/health` for people, `/health/live` while the process can answer, and `/health/ready` while
 *  it can run jobs, which needs both stores. */
export function createWorkerHealthHandlers(
  deps: WorkerHealthDeps,
): Record<'getHealth' | 'getLiveness' | 'getReadiness', Middleware> {
  const { conditions } = deps;
  const checkPostgres = createStoreCheck(deps.stores.postgres.ping);
  const checkRedis = createStoreCheck(deps.stores.redis.ping);
  const checkAll = async () => {
    const [postgres, redis] = await Promise.all([checkPostgres(), checkRedis()]);
    return { checks: { postgres, redis }, areUp: postgres.status === 'up' && redis.status === 'up' };
  };

  return {
    async getHealth(ctx) {
      const { checks, areUp } = await checkAll();
      const current = conditions.list();
      ctx.status = areUp ? 200 : 503;
      ctx.body = {
        status: !areUp ? 'unhealthy' : current.length > 0 ? 'degraded' : 'healthy',
        timestamp: new Date(),
        version: deps.version,
        conditions: current.map(({ code, reason, since }) => ({ code, reason, since })),
        queues: deps.queues,
        active_jobs: deps.activeJobs(),
        checks,
      };
    },

    getLiveness: answerLive,

    async getReadiness(ctx) {
      const { areUp } = await checkAll();
      answerReadiness(ctx, areUp && conditions.isReady() && !deps.isClosing());
    },
  };
}
