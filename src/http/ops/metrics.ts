import type { Context, Middleware } from 'koa';
import { isSameSecret } from '../middleware/secret.ts';
import { Problem } from '../problems/problem.ts';

/** `GET /metrics` for Prometheus: with the token, or without if the metrics are public. 404 if neither is configured. */
export function createMetricsHandler(options: {
  showMetrics: () => Promise<string>;
  token: string | undefined;
  isPublic: boolean;
}): Middleware {
  const { showMetrics, token, isPublic } = options;
  return async (ctx) => {
    if (!isPublic) requireToken(ctx, token);
    const text = await showMetrics();
    ctx.type = 'text/plain; version=0.0.4; charset=utf-8';
    ctx.body = text;
  };
}

function requireToken(ctx: Context, token: string | undefined): void {
  if (token === undefined) throw new Problem('not-found', 'Not found.');
  const [, given = ''] = /^Bearer +(\S+)$/i.exec(ctx.get('authorization')) ?? [];
  if (isSameSecret(given, token)) return;
  throw new Problem('unauthorized', 'Send METRICS_TOKEN in Authorization: Bearer.', {
    headers: { 'WWW-Authenticate': 'Bearer realm="linkmill metrics"' },
  });
}
