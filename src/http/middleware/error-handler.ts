import type { Context, Middleware } from 'koa';
import type { Log } from '../../log.ts';
import type { Pages } from '../pages/pages.ts';
import { problemOf } from '../problems/from-error.ts';
import type { ProblemType } from '../problems/problem-types.ts';
import { methodNotAllowed, Problem, routeNotFound } from '../problems/problem.ts';
import { toLoggedPath } from '../server/logged-path.ts';
import { createProblemAnswers } from '../server/problem-answers.ts';

/** The path of a request; undefined for a request line such as `GET http://[/`, which Node accepts and Koa cannot parse. */
function readPath(ctx: Context): string | undefined {
  try {
    const path: unknown = ctx.path;
    return typeof path === 'string' ? path : undefined;
  } catch {
    return undefined;
  }
}

/** Answers every error as `application/problem+json` (RFC 9457), or as a page for browsers if there are `pages`. An unexpected error is
 *  logged, and its answer shows nothing of it. `baseUrl` is undefined in a process without one. */
export function handleErrors(
  log: Log,
  options: { onProblem?: (type: ProblemType) => void; baseUrl: string | undefined; pages?: Pages },
): Middleware {
  const { onProblem, baseUrl } = options;
  const presentProblem = createProblemAnswers(options);
  return async (ctx, next) => {
    const path = readPath(ctx);
    try {
      if (path === undefined) throw new Problem('bad-request', 'The request line contains no valid path.');
      await next();
      // No route matched; the router has set `Allow` where the path exists.
      if (ctx.body === undefined && ctx.status >= 400)
        throw ctx.status === 404 ? routeNotFound() : methodNotAllowed();
    } catch (error) {
      const request = { method: ctx.method, path: path && toLoggedPath(path) };
      const problem = problemOf(error, log, request, baseUrl);
      onProblem?.(problem.type);
      ctx.status = problem.status;
      const { headers, body } = presentProblem(problem, ctx, path);
      ctx.set(headers);
      ctx.body = body;
    }
  };
}
