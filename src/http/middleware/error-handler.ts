import type { Context, Middleware } from 'koa';
import type { Log } from '../../log.ts';
import { answerPage } from '../pages/page.ts';
import { problemPage } from '../pages/problem-pages.ts';
import { problemOf } from '../problems/from-error.ts';
import {
  presentProblem,
  Problem,
  problemHeaders,
  problemKinds,
  type ProblemType,
} from '../problems/problem.ts';
import { toLoggedPath } from '../server/logged-path.ts';

/** What the router found no handler for; it has set `Allow` where the path exists. */
function problemOfRouting(status: number): Problem {
  return status === 404
    ? new Problem('not-found', 'There is nothing here.')
    : new Problem('method-not-allowed', 'This path does not know that method.');
}

/** The path of a request; undefined for a request line such as `GET http://[/`, which Node passes on and of which Koa
 *  makes nothing or an error. */
function readPath(ctx: Context): string | undefined {
  try {
    const path: unknown = ctx.path;
    return typeof path === 'string' ? path : undefined;
  } catch {
    return undefined;
  }
}

/** Below these nobody looks for a short URL. */
const notForVisitors = /^\/(?:api|admin|docs)\//;

/** Whether a person in front of a browser asks, and for what a mistyped short URL could be. */
const isForPeople = (ctx: Context, path: string) =>
  !notForVisitors.test(path) && ctx.accepts('json', 'html') === 'html';

/** Answers every error as `application/problem+json` (RFC 9457), or as a page to a visitor's browser. An error that is
 *  nobody's fault but ours shows nothing and logs everything. */
export function answerErrors(
  log: Log,
  { onProblem, basePath }: { onProblem?: (type: ProblemType) => void; basePath?: string } = {},
): Middleware {
  return async (ctx, next) => {
    const path = readPath(ctx);
    try {
      if (path === undefined) throw new Problem('bad-request', 'The request line names no path.');
      await next();
      if (ctx.body === undefined && ctx.status >= 400) throw problemOfRouting(ctx.status);
    } catch (error) {
      const request = { method: ctx.method, path: path && toLoggedPath(path) };
      const problem = problemOf(error, log, request, basePath);
      onProblem?.(problem.type);
      ctx.status = problem.status;
      ctx.set(problemHeaders);
      ctx.set(problem.headers);
      if (path !== undefined && isForPeople(ctx, path)) {
        answerPage(ctx, problem.status, problemPage(problem, problemKinds[problem.type][1]));
        return;
      }
      ctx.body = presentProblem(problem);
      ctx.type = 'application/problem+json';
    }
  };
}
