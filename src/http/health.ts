import type Router from '@koa/router';
import type { ClickWatch } from '../clicks/click-watch.ts';
import { withDeadline } from '../lifecycle.ts';

/** How long a dependency may take to show that it is there. */
const checkDeadlineMs = 1_000;

interface Check {
  status: 'up' | 'down';
  latency_ms: number;
}

export interface HealthDeps {
  pingPostgres: () => Promise<unknown>;
  pingRedis: () => Promise<unknown>;
  poolSize: () => Promise<number>;
  clickWatch: ClickWatch;
  isClosing: () => boolean;
  version: string;
}

async function check(ping: () => Promise<unknown>): Promise<Check> {
  const start = performance.now();
  const up = await withDeadline(
    ping().then(
      () => true,
      () => false,
    ),
    checkDeadlineMs,
    () => false,
  );
  return { status: up ? 'up' : 'down', latency_ms: Math.round(performance.now() - start) };
}

/** The state of the service, for people (`/health`) and for orchestrators: `/health/live` as long as the process can
 *  answer, `/health/ready` as long as it can serve redirects, which takes one of the two stores. */
export function addHealthRoutes(router: Router, deps: HealthDeps): void {
  const checkAll = async () => {
    const [postgres, redis] = await Promise.all([check(deps.pingPostgres), check(deps.pingRedis)]);
    return { postgres, redis };
  };

  router.get('/health', async (ctx) => {
    const [checks, poolSize, clicks] = await Promise.all([
      checkAll(),
      deps.poolSize().catch(() => null),
      deps.clickWatch.read(),
    ]);
    const up = Object.values(checks).filter((one) => one.status === 'up').length;
    ctx.status = up === 0 ? 503 : 200;
    ctx.set('Cache-Control', 'no-store');
    ctx.body = {
      status: up === 0 ? 'unhealthy' : up === 1 || clicks.isPastLimit ? 'degraded' : 'healthy',
      timestamp: new Date(),
      version: deps.version,
      kgs_pool_size: poolSize,
      clicks: {
        lag_seconds: Math.round(clicks.lagMs / 100) / 10,
        waiting_batches: clicks.waiting ?? null,
        unconfirmed_batches: clicks.unconfirmed,
        dropped_clicks: clicks.dropped,
      },
      checks,
    };
  });

  router.get('/health/live', (ctx) => {
    ctx.set('Cache-Control', 'no-store');
    ctx.body = { status: 'live' };
  });

  router.get('/health/ready', async (ctx) => {
    const { postgres, redis } = await checkAll();
    const ready = !deps.isClosing() && (postgres.status === 'up' || redis.status === 'up');
    ctx.status = ready ? 200 : 503;
    ctx.set('Cache-Control', 'no-store');
    ctx.body = { status: ready ? 'ready' : 'not ready' };
  });
}
