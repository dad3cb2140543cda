import type Router from '@koa/router';
import type { Breaker } from '../breaker.ts';
import type { ClickState, ClickWatch } from '../clicks/click-watch.ts';
import type { Conditions } from '../conditions.ts';
import type { EventLoopWatch } from '../event-loop.ts';
import type { LoadShedding } from './shed-load.ts';
import { createStoreCheck, type StoreCheck } from './store-check.ts';

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
  clickWatch: ClickWatch;
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

  router.get('/health', async (ctx) => {
    const [checks, poolSize, clicks] = await Promise.all([
      checkAll(),
      // Why Redis does not say is in its check.
      deps.poolSize().catch(() => null),
      deps.clickWatch.read(),
    ]);
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
      works: whatWorks(
        checks,
        clicks,
        conditions.some(({ code }) => code === 'postgres_read_only'),
      ),
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

/** What an operator can rely on for the moment. */
function whatWorks(
  { postgres, redis }: Record<'postgres' | 'redis', Check>,
  clicks: ClickState,
  isReadOnly: boolean,
) {
  const [hasPostgres, hasRedis] = [postgres.status === 'up', redis.status === 'up'];
  return {
    redirects: hasPostgres ? 'all' : hasRedis ? 'cached' : 'known by heart',
    api: hasPostgres && isReadOnly ? 'reads' : hasPostgres,
    jobs: hasRedis,
    clicks: clicks.toRedis
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
