import type Router from '@koa/router';
import type { ClickStatus, ClickStatusReader } from '../../clicks/recording/status.ts';
import type { Breaker } from '../../resilience/circuit-breaker.ts';
import type { ConditionCode, Conditions } from '../../resilience/conditions.ts';
import type { EventLoopWatch } from '../../resilience/event-loop.ts';
import { remember } from '../../resilience/remember.ts';
import type { LoadShedding } from '../server/load-shedding.ts';
import { createStoreCheck, rememberMs, type StoreCheck } from './store-check.ts';

interface Store {
  ping: () => Promise<unknown>;
  breaker: Breaker;
}

interface Check extends StoreCheck {
  breaker: Breaker['state'];
}

export interface HealthDeps {
  stores: { postgres: Store; redis: Store };
  poolSize: () => Promise<number>;
  clickStatus: ClickStatusReader;
  eventLoop: Pick<EventLoopWatch, 'delayMs'>;
  loadShedding: Pick<LoadShedding, 'refusedShare'>;
  conditions: Pick<Conditions, 'list' | 'isReady'>;
  isClosing: () => boolean;
  version: string;
}

/** The state of the service, for people (`/health`) and for orchestrators: `/health/live` as long as the process can
 *  answer, `/health/ready` as long as it can serve redirects, which takes one of the two stores. */
export function addHealthRoutes(router: Router, deps: HealthDeps): void {
  const checkPostgres = checkWithBreaker(() => deps.stores.postgres);
  const checkRedis = checkWithBreaker(() => deps.stores.redis);
  const checkAll = async () => {
    const [postgres, redis] = await Promise.all([checkPostgres(), checkRedis()]);
    return { postgres, redis };
  };

  // The check of Redis says why there is none.
  const readPoolSize = remember(async () => await deps.poolSize().catch(() => null), rememberMs);
  const readClicks = remember(async () => await deps.clickStatus.read(), rememberMs);

  router.get('/health', async (ctx) => {
    const [checks, poolSize, clicks] = await Promise.all([checkAll(), readPoolSize(), readClicks()]);
    const refused = deps.loadShedding.refusedShare();
    const up = Object.values(checks).filter((one) => one.status === 'up').length;
    const conditions = deps.conditions.list();
    const isWell = up === 2 && !clicks.isPastLimit && refused.api === 0 && conditions.length === 0;
    ctx.status = up === 0 ? 503 : 200;
    ctx.body = {
      status: up === 0 ? 'unhealthy' : isWell ? 'healthy' : 'degraded',
      timestamp: new Date(),
      version: deps.version,
      conditions: conditions.map(({ code, reason, since }) => ({ code, reason, since })),
      works: whatWorks(checks, clicks, new Set(conditions.map(({ code }) => code))),
      kgs_pool_size: poolSize,
      clicks: {
        lag_seconds: Math.round(clicks.lagMs / 100) / 10,
        waiting_batches: clicks.waiting ?? null,
        unconfirmed_batches: clicks.unconfirmed,
        dropped_clicks: clicks.dropped,
      },
      load: { event_loop_delay_ms: Math.round(deps.eventLoop.delayMs), refused_share: refused },
      checks,
    };
  });

  router.get('/health/live', (ctx) => {
    ctx.body = { status: 'live' };
  });

  router.get('/health/ready', async (ctx) => {
    const { postgres, redis } = await checkAll();
    const hasStore = postgres.status === 'up' || redis.status === 'up';
    const ready = !deps.isClosing() && deps.conditions.isReady() && hasStore;
    ctx.status = ready ? 200 : 503;
    ctx.body = { status: ready ? 'ready' : 'not ready' };
  });
}

/** While one of these holds, jobs of a queue are not done. */
const againstJobs: ConditionCode[] = ['workers_missing', 'jobs_overdue', 'queues_paused'];

/** What an operator can rely on for the moment. */
function whatWorks(
  { postgres, redis }: Record<'postgres' | 'redis', Check>,
  clicks: ClickStatus,
  conditions: Set<ConditionCode>,
) {
  const isReadOnly = conditions.has('postgres_read_only');
  const [hasPostgres, hasRedis] = [postgres.status === 'up', redis.status === 'up'];
  return {
    redirects: hasPostgres ? 'all' : hasRedis ? 'cached' : 'known by heart',
    api: hasPostgres && isReadOnly ? 'reads' : hasPostgres,
    jobs: hasRedis && !againstJobs.some((code) => conditions.has(code)),
    clicks: clicks.usesRedis
      ? 'through Redis'
      : hasPostgres && !isReadOnly
        ? 'straight to PostgreSQL'
        : 'kept in memory',
  };
}

function checkWithBreaker(store: () => Store): () => Promise<Check> {
  const check = createStoreCheck(async () => await store().breaker.run(store().ping));
  return async () => ({ ...(await check()), breaker: store().breaker.state });
}
