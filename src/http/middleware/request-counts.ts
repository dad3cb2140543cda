import type { Layer } from '@koa/router';
import type { ExtendableContext, Middleware } from 'koa';
import { durationHistogram } from '../../metrics/prometheus.ts';
import type { ProblemType } from '../problems/problem-types.ts';

export type RequestCounts = ReturnType<typeof createRequestCounts>;

/** Counts and measures answers by route, and problems by type. Redirects and unknown paths have no route, which bounds the labels. */
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
    /** Must wrap all middleware that sets the status. */
    middleware: (async (ctx: ExtendableContext & { matched?: Layer[] }, next) => {
      const begin = performance.now();
      await next();
      const matched = ctx.matched?.findLast(({ methods }) => methods.includes(ctx.method));
      if (!matched) return;
      const route = String(matched.path);
      add(ctx.method, route, String(ctx.status));
      durations.observe({ method: ctx.method, route }, (performance.now() - begin) / 1_000);
    }) satisfies Middleware,

    addProblem: (type: ProblemType): void => void problems.set(type, (problems.get(type) ?? 0) + 1),

    /** Number of problems by type. */
    readProblems: () => [...problems].map(([type, value]) => ({ value, labels: { type } })),

    /** Number of answers by method, route and status. */
    read: () => [...counts.values()],

    /** Durations by route, for Prometheus. */
    readDurations: durations.read,
  };
}
