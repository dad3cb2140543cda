import type { Context } from 'koa';
import { isSameSecret } from '../middleware/secret.ts';
import { Problem } from '../problems/problem.ts';
import type { PublicHandlers, PublicRoutes } from '../routes/public-route.ts';

export const metricsRoutes = {
  getMetrics: {
    method: 'get',
    path: '/metrics',
    summary: 'Get metrics',
    description:
      'Requires `METRICS_TOKEN` as bearer token, unless `METRICS_PUBLIC` is set. Without either setting it is 404.',
    takesToken: true,
    replies: {
      200: { description: 'Metrics in the text format of Prometheus.', content: ['text/plain'] },
    },
    problems: ['unauthorized', 'not-found', 'rate-limited'],
  },
} as const satisfies PublicRoutes;

/** Metrics for Prometheus: with the token, or without if the metrics are public. 404 if neither is configured. */
export function metricsHandlers(options: {
  showMetrics: () => Promise<string>;
  token: string | undefined;
  isPublic: boolean;
}): PublicHandlers<typeof metricsRoutes> {
  const { showMetrics, token, isPublic } = options;
  return {
    getMetrics: async ({ ctx }) => {
      if (!isPublic) requireToken(ctx, token);
      return {
        status: 200,
        type: 'text/plain',
        headers: { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' },
        body: await showMetrics(),
      };
    },
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
