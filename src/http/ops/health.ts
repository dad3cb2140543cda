import type { ClickStatus, ClickStatusReader } from '../../clicks/recording/status.ts';
import type { Breaker } from '../../resilience/circuit-breaker.ts';
import type { Condition, ConditionCode, Conditions } from '../../resilience/conditions.ts';
import type { EventLoopWatch } from '../../resilience/process/event-loop.ts';
import { remember } from '../../resilience/remember.ts';
import { guidance } from '../../resilience/troubles.ts';
import type { PublicHandlers } from '../routes/public-route.ts';
import type { LoadShedding } from '../server/load-shedding.ts';
import type { HealthBody, healthRoutes } from './health-routes.ts';
import { createStoreCheck, rememberMs, type StoreCheck } from './store-check.ts';

interface Store {
  ping: () => Promise<unknown>;
  breaker: Breaker;
}

interface ReplicaStore extends Store {
  lagSeconds: () => number | null;
}

interface Check extends StoreCheck {
  breaker: Breaker['state'];
}

export interface HealthDeps {
  /** `redisCache` is that of `REDIS_CACHE_URL`, `replica` that of `DATABASE_REPLICA_URL`. */
  stores: {
    postgres: Store;
    redis: Store;
    redisCache?: Store | undefined;
    replica?: ReplicaStore | undefined;
  };
  poolSize: () => Promise<number>;
  clickStatus: ClickStatusReader;
  eventLoop: Pick<EventLoopWatch, 'delayMs'>;
  loadShedding: Pick<LoadShedding, 'rejectedShare'>;
  conditions: Pick<Conditions, 'list' | 'isReady'>;
  isClosing: () => boolean;
  version: string;
}

/** Returns a reader of what `/health` reports. All concurrent callers query the stores at most once a second, for at most a second. */
export function createHealthReader(deps: HealthDeps) {
  const checkPostgres = checkWithBreaker(() => deps.stores.postgres);
  const checkRedis = checkWithBreaker(() => deps.stores.redis);
  const { redisCache, replica } = deps.stores;
  const checkCache = redisCache && checkWithBreaker(() => redisCache);
  const checkReplica = replica && checkWithBreaker(() => replica);
  const checkAll = async () => {
    const [postgres, redis, cache, standby] = await Promise.all([
      checkPostgres(),
      checkRedis(),
      checkCache?.(),
      checkReplica?.(),
    ]);
    return {
      postgres,
      redis,
      ...(cache && { redis_cache: cache }),
      ...(replica && standby && { postgres_replica: { ...standby, lag_seconds: replica.lagSeconds() } }),
    };
  };
  // The check of Redis reports why the size is missing.
  const readPoolSize = remember(async () => await deps.poolSize().catch(() => null), rememberMs);
  const readClicks = remember(async () => await deps.clickStatus.read(), rememberMs);

  async function read() {
    const [checks, poolSize, clicks] = await Promise.all([checkAll(), readPoolSize(), readClicks()]);
    const rejected = deps.loadShedding.rejectedShare();
    const conditions = deps.conditions.list();
    const areUp = Object.values(checks).every((one) => one.status === 'up');
    const isHealthy = areUp && !clicks.isPastLimit && rejected.api === 0 && conditions.length === 0;
    const body: HealthBody = {
      status: !hasRedirects(checks) ? 'unhealthy' : isHealthy ? 'healthy' : 'degraded',
      timestamp: new Date().toISOString(),
      version: deps.version,
      conditions: conditions.map(presentCondition),
      works: describeCapabilities(checks, clicks, new Set(conditions.map(({ code }) => code))),
      kgs_pool_size: poolSize,
      clicks: {
        lag_seconds: Math.round(clicks.lagMs / 100) / 10,
        waiting_batches: clicks.waiting ?? null,
        unconfirmed_batches: clicks.unconfirmed,
        dropped_clicks: clicks.dropped,
      },
      load: { event_loop_delay_ms: Math.round(deps.eventLoop.delayMs), rejected_share: rejected },
      checks,
    };
    return { body, clicks };
  }

  return { read, checkAll };
}

/** The health of a web process: `/health` for people, `/health/live` while the process can answer, and `/health/ready` while
 *  it can serve redirects, which needs PostgreSQL or the Redis of the cache. */
export function healthHandlers(deps: HealthDeps): PublicHandlers<typeof healthRoutes> {
  const { read, checkAll } = createHealthReader(deps);
  return {
    async getHealth() {
      const { body } = await read();
      return body.status === 'unhealthy' ? { status: 503, body } : { status: 200, body };
    },

    getLiveness: answerLive,

    async getReadiness() {
      const hasStore = hasRedirects(await checkAll());
      return readinessAnswer(!deps.isClosing() && deps.conditions.isReady() && hasStore);
    },
  };
}

/** Answers that the process can answer. */
export const answerLive = () => ({ status: 200, body: { status: 'live' } }) as const;

export const readinessAnswer = (isReady: boolean) =>
  isReady
    ? ({ status: 200, body: { status: 'ready' } } as const)
    : ({ status: 503, body: { status: 'not ready' } } as const);

export const presentCondition = ({ code, reason, since }: Condition) => ({
  code,
  reason,
  ...guidance[code],
  since: since.toISOString(),
});

/** Conditions under which the jobs of at least one queue do not run. */
const jobConditions: ConditionCode[] = ['workers_missing', 'jobs_overdue', 'queues_paused'];

type Checks = Record<'postgres' | 'redis', Check> & { redis_cache?: Check };

const hasCache = ({ redis, redis_cache }: Checks) => (redis_cache ?? redis).status === 'up';
const hasRedirects = (checks: Checks) => checks.postgres.status === 'up' || hasCache(checks);

/** What the service can do at present. */
function describeCapabilities(
  checks: Checks,
  clicks: ClickStatus,
  conditions: Set<ConditionCode>,
): HealthBody['works'] {
  const isReadOnly = conditions.has('postgres_read_only');
  const [hasPostgres, hasRedis] = [checks.postgres.status === 'up', checks.redis.status === 'up'];
  return {
    redirects: hasPostgres ? 'all' : hasCache(checks) ? 'cached' : 'memory',
    api: !hasPostgres ? 'none' : isReadOnly ? 'read_only' : 'all',
    jobs: hasRedis && !jobConditions.some((code) => conditions.has(code)),
    clicks: clicks.usesRedis ? 'redis' : hasPostgres && !isReadOnly ? 'postgres' : 'memory',
  };
}

function checkWithBreaker(store: () => Store): () => Promise<Check> {
  const check = createStoreCheck(async () => await store().breaker.run(store().ping));
  return async () => ({ ...(await check()), breaker: store().breaker.state });
}
