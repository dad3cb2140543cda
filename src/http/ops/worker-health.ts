import type Router from '@koa/router';
import type { Conditions } from '../../resilience/conditions.ts';
import { createStoreCheck } from './store-check.ts';

export interface WorkerHealthDeps {
  stores: Record<'postgres' | 'redis', { ping: () => Promise<unknown> }>;
  conditions: Pick<Conditions, 'list' | 'isReady'>;
  /** The queues that this process serves. */
  queues: string[];
  /** Jobs that this process runs now. */
  activeJobs: () => number;
  isClosing: () => boolean;
  version: string;
}

/** The state of one worker process: `/health` for people, `/health/live` while the process can answer, `/health/ready` while
 *  it can run jobs, which needs both stores. */
export function addWorkerHealthRoutes(router: Router, deps: WorkerHealthDeps): void {
  const { conditions } = deps;
  const checkPostgres = createStoreCheck(deps.stores.postgres.ping);
  const checkRedis = createStoreCheck(deps.stores.redis.ping);
  const checkAll = async () => {
    const [postgres, redis] = await Promise.all([checkPostgres(), checkRedis()]);
    return { checks: { postgres, redis }, areUp: postgres.status === 'up' && redis.status === 'up' };
  };

  router.get('/health', async (ctx) => {
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
  });

  router.get('/health/live', (ctx) => {
    ctx.body = { status: 'live' };
  });

  router.get('/health/ready', async (ctx) => {
    const { areUp } = await checkAll();
    const ready = areUp && conditions.isReady() && !deps.isClosing();
    ctx.status = ready ? 200 : 503;
    ctx.body = { status: ready ? 'ready' : 'not ready' };
  });
}
