import type Router from '@koa/router';
import { Problem } from './errors.ts';
import { isSameSecret } from './secret.ts';

/** `GET /metrics` for Prometheus, to whoever has the token; without one there is no such path. */
export function addMetricsRoute(
  router: Router,
  { showMetrics, token }: { showMetrics: () => Promise<string>; token: string | undefined },
): void {
  router.get('/metrics', async (ctx) => {
    if (token === undefined) throw new Problem('not-found', 'There is nothing here.');
    const [, given = ''] = /^Bearer +(\S+)$/i.exec(ctx.get('authorization')) ?? [];
    if (!isSameSecret(given, token)) {
      throw new Problem('unauthorized', 'Give METRICS_TOKEN in Authorization: Bearer.', {
        headers: { 'WWW-Authenticate': 'Bearer realm="linkmill metrics"' },
      });
    }
    const text = await showMetrics();
    ctx.set('Cache-Control', 'no-store');
    ctx.type = 'text/plain; version=0.0.4; charset=utf-8';
    ctx.body = text;
  });
}
