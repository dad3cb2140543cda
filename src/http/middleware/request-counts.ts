import type { Layer } from '@koa/router';
import type { ExtendableContext, Middleware } from 'koa';
import { durationHistogram } from '../../metrics/prometheus.ts';
import type { ProblemType } from '../problems/problem.ts';

export type RequestCounts = ReturnType<typeof createRequestCounts>;

/** Counts and measures the answers of the routes, and counts problems by their type. Redirects belong to no route, and neither
 *  do unknown paths, so that the number of routes is bounded. */
export function createRequestCounts() {
  const counts = new Map<string, { value: number; labels: Record<'method' | 'route' | 'status', string> }>();
  const problems = new Map<ProblemType, number>();
  const durations = durationHistogram(
    'http_request_duration_seconds',
    'Time from a request until its response was ready to be sent, by route; without the transfer of bodies and streams',
    ['method', 'route'],
  );

  function add(method: string, route: string, status: string) {
    const key = `${method} ${route} ${status}`;
    const known = counts.get(key);
    if (known) known.value += 1;
    else counts.set(key, { value: 1, labels: { method, route, status } });
  }

  return {
    /** Surrounds everything that decides on the status. */
    middleware: (async (ctx: ExtendableContext & { matched?: Layer[] }, next) => {
      const begin = performance.now();
      await next();
      const matched = ctx.matched?.findLast(({ methods }) => methods.includes(ctx.method));
      if (!matched) return;
      const route = String(matched.path);
      add(ctx.method, route, String(ctx.status));
      durations.observe({ method: ctx.method, route }, (performance.now() - begin) / 1_000);
    }) satisfies Middleware as Middleware,

    addProblem: (type: ProblemType): void => void problems.set(type, (problems.get(type) ?? 0) + 1),

    /** How many problems of each kind were answered. */
    readProblems: () => [...problems].map(([type, value]) => ({ value, labels: { type } })),

    /** How many answers each method, route and status has had. */
    read: () => [...counts.values()],

    /** How long the routes took, for Prometheus. */
    readDurations: durations.read,
  };
}
