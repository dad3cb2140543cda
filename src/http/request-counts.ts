import type { Layer } from '@koa/router';
import type { ExtendableContext, Middleware } from 'koa';
import type { ProblemType } from './problem.ts';

export type RequestCounts = ReturnType<typeof createRequestCounts>;

/** Counts the answers of the routes, and problems by their kind, wherever they come from. Redirects are no route's, and paths that
 *  nobody knows are not told apart. */
export function createRequestCounts() {
  const counts = new Map<string, { value: number; labels: Record<'method' | 'route' | 'status', string> }>();
  const problems = new Map<ProblemType, number>();

  function add(method: string, route: string, status: string) {
    const key = `${method} ${route} ${status}`;
    const known = counts.get(key);
    if (known) known.value += 1;
    else counts.set(key, { value: 1, labels: { method, route, status } });
  }

  return {
    /** Stands around everything that decides on the status. */
    middleware: (async (ctx: ExtendableContext & { matched?: Layer[] }, next) => {
      await next();
      const route = ctx.matched?.findLast(({ methods }) => methods.includes(ctx.method));
      if (route) add(ctx.method, String(route.path), String(ctx.status));
    }) satisfies Middleware as Middleware,

    addProblem: (type: ProblemType): void => void problems.set(type, (problems.get(type) ?? 0) + 1),

    /** How many problems of each kind were answered. */
    readProblems: () => [...problems].map(([type, value]) => ({ value, labels: { type } })),

    /** How many answers each method, route and status has had. */
    read: () => [...counts.values()],
  };
}
