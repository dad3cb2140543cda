import type { Conditions } from '../../resilience/conditions.ts';
import type { PublicHandlers } from '../routes/public-route.ts';
import type { WorkerHealthBody, workerHealthRoutes } from './health-routes.ts';
import { answerLive, presentCondition, readinessAnswer } from './health.ts';
import { createStoreCheck } from './store-check.ts';

interface Store {
  ping: () => Promise<unknown>;
}

export interface WorkerHealthDeps {
  /** `redisCache` is that of `REDIS_CACHE_URL`. */
  stores: { postgres: Store; redis: Store; redisCache?: Store };
  conditions: Pick<Conditions, 'list' | 'isReady'>;
  /** The queues that this process serves. */
  queues: string[];
  /** Returns the number of jobs that this process runs now. */
  activeJobs: () => number;
  isClosing: () => boolean;
  version: string;
}

/** The health of a worker process: `/health` for people, `/health/live` while the process can answer, and `/health/ready` while
 *  it can run jobs, which needs both stores and no cache. */
export function workerHealthHandlers(deps: WorkerHealthDeps): PublicHandlers<typeof workerHealthRoutes> {
  const { conditions } = deps;
  const checkPostgres = createStoreCheck(deps.stores.postgres.ping);
  const checkRedis = createStoreCheck(deps.stores.redis.ping);
  const checkCache = deps.stores.redisCache && createStoreCheck(deps.stores.redisCache.ping);
  const checkAll = async () => {
    const [postgres, redis, cache] = await Promise.all([checkPostgres(), checkRedis(), checkCache?.()]);
    return {
      checks: { postgres, redis, ...(cache && { redis_cache: cache }) },
      areUp: postgres.status === 'up' && redis.status === 'up',
    };
  };

  return {
    async getHealth() {
      const { checks, areUp } = await checkAll();
      const current = conditions.list();
      const body: WorkerHealthBody = {
        status: !areUp ? 'unhealthy' : current.length > 0 ? 'degraded' : 'healthy',
        timestamp: new Date().toISOString(),
        version: deps.version,
        conditions: current.map(presentCondition),
        queues: deps.queues,
        active_jobs: deps.activeJobs(),
        checks,
      };
      return areUp ? { status: 200, body } : { status: 503, body };
    },

    getLiveness: answerLive,

    async getReadiness() {
      const { areUp } = await checkAll();
      return readinessAnswer(areUp && conditions.isReady() && !deps.isClosing());
    },
  };
}
