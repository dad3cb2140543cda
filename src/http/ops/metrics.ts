import type Router from '@koa/router';
import type { Context } from 'koa';
import { isSameSecret } from '../middleware/secret.ts';
import { Problem } from '../problems/problem.ts';

/** `GET /metrics` for Prometheus, to whoever has the token, or to everybody where it is open; else there is no such path. */
export function addMetricsRoute(
  router: Router,
  options: { showMetrics: () => Promise<string>; token: string | undefined; isOpen: boolean },
): void {
  const { showMetrics, token, isOpen } = options;
  router.get('/metrics', async (ctx) => {
    if (!isOpen) requireToken(ctx, token);
    const text = await showMetrics();
    ctx.type = 'text/plain; version=0.0.4; charset=utf-8';
    ctx.body = text;
  });
}

function requireToken(ctx: Context, token: string | undefined): void {
  if (token === undefined) throw new Problem('not-found', 'Not found.');
  const [, given = ''] = /^Bearer +(\S+)$/i.exec(ctx.get('authorization')) ?? [];
  if (isSameSecret(given, token)) return;
  throw new Problem('unauthorized', 'Give METRICS_TOKEN in Authorization: Bearer.', {
    headers: { 'WWW-Authenticate': 'Bearer realm="linkmill metrics"' },
  });
}
