import type Router from '@koa/router';
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import type { ClickState, ClickWatch } from '../clicks/click-watch.ts';
import { Problem } from './errors.ts';
import { isSameSecret } from './secret.ts';

/** `GET /metrics` for Prometheus, to whoever has the token; without one there is no such path. */
export function addMetricsRoute(
  router: Router,
  { clickWatch, token }: { clickWatch: ClickWatch; token: string | undefined },
): void {
  const registry = new Registry();
  if (token !== undefined) collectDefaultMetrics({ register: registry });
  const set = addClickMetrics(registry);

  router.get('/metrics', async (ctx) => {
    if (token === undefined) throw new Problem(404, 'not-found', 'There is nothing here.');
    const [, given = ''] = /^Bearer +(\S+)$/i.exec(ctx.get('authorization')) ?? [];
    if (!isSameSecret(given, token)) {
      throw new Problem(401, 'unauthorized', 'Give METRICS_TOKEN in Authorization: Bearer.', {
        headers: { 'WWW-Authenticate': 'Bearer realm="linkmill metrics"' },
      });
    }
    set(await clickWatch.read());
    ctx.set('Cache-Control', 'no-store');
    ctx.type = registry.contentType;
    ctx.body = await registry.metrics();
  });
}

/** Returns what puts the current figures in. */
function addClickMetrics(registry: Registry): (state: ClickState) => void {
  const options = (name: string, help: string) => ({ name: `linkmill_${name}`, help, registers: [registry] });
  const accepted = new Counter(options('clicks_accepted_total', 'Clicks that this process recorded'));
  const dropped = new Counter(
    options(
      'clicks_dropped_total',
      'Clicks that found no room while both stores were away, never to be counted',
    ),
  );
  const unconfirmed = new Gauge(
    options('click_batches_unconfirmed', 'Batches of this process that PostgreSQL is not known to have'),
  );
  const waiting = new Gauge(options('click_batches_waiting', 'Batches of all processes that wait in Redis'));
  const lag = new Gauge(options('click_lag_seconds', 'Age of the oldest batch on its way to PostgreSQL'));
  const toRedis = new Gauge(
    options('clicks_to_redis', 'Whether clicks go to Redis (1) or straight to PostgreSQL (0)'),
  );
  return (state) => {
    accepted.reset();
    accepted.inc(state.accepted);
    dropped.reset();
    dropped.inc(state.dropped);
    unconfirmed.set(state.unconfirmed);
    waiting.set(state.waiting ?? NaN);
    lag.set(state.lagMs / 1_000);
    toRedis.set(state.toRedis ? 1 : 0);
  };
}
