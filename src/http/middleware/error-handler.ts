import type { Context, Middleware } from 'koa';
import { readShortCode } from '../../keys/short-code.ts';
import type { Log } from '../../log.ts';
import { answerPage } from '../pages/page.ts';
import type { Pages } from '../pages/pages.ts';
import { problemOf } from '../problems/from-error.ts';
import type { ProblemType } from '../problems/problem-types.ts';
import {
  methodNotAllowed,
  presentProblem,
  Problem,
  problemHeaders,
  routeNotFound,
} from '../problems/problem.ts';
import { toLoggedPath } from '../server/logged-path.ts';
import { shortCodeOf } from '../server/target-path.ts';

/** The path of a request; undefined for a request line such as `GET http://[/`, which Node accepts and Koa cannot parse. */
function readPath(ctx: Context): string | undefined {
  try {
    const path: unknown = ctx.path;
    return typeof path === 'string' ? path : undefined;
  } catch {
    return undefined;
  }
}

/** Paths that neither can be a mistyped short URL nor belong to the sign-in of people. */
const notForVisitors = /^\/(?:api|admin(?!\/sign-in\/)|docs)\//;

/** Whether browsers get problems of this path as pages: it can be a mistyped short URL. */
export const isVisitorPath = (path: string) => !notForVisitors.test(path);

const wantsPage = (ctx: Context, path: string) =>
  isVisitorPath(path) && ctx.accepts('json', 'html') === 'html';

/** The short code in a path, which may be that of a preview. */
const requestedCode = (path: string) => readShortCode(shortCodeOf(path).replace(/(?:\+|%2B)$/i, ''));

/** Answers every error as `application/problem+json` (RFC 9457), or as a page for browsers if there are `pages`. An unexpected error is
 *  logged, and its answer shows nothing of it. `baseUrl` is undefined in a process without one. */
export function handleErrors(
  log: Log,
  options: { onProblem?: (type: ProblemType) => void; baseUrl: string | undefined; pages?: Pages },
): Middleware {
  const { onProblem, baseUrl, pages } = options;
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
      ctx.set(problemHeaders);
      ctx.set(problem.headers);
      if (pages && path !== undefined && wantsPage(ctx, path)) {
        answerPage(ctx, problem.status, pages(ctx).problem(problem, requestedCode(path)));
        return;
      }
      ctx.body = presentProblem(problem, baseUrl);
      ctx.type = 'application/problem+json';
    }
  };
}
