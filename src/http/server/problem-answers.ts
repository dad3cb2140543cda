import type { Context } from 'koa';
import { readShortCode } from '../../keys/short-code.ts';
import type { Pages } from '../pages/pages.ts';
import { presentProblem, type Problem, problemHeaders } from '../problems/problem.ts';
import { shortCodeOf } from './target-path.ts';

/** What a client accepts, and a note of what its answer varies by. */
export type Negotiation = Pick<Context, 'accepts' | 'acceptsLanguages' | 'vary'>;

/** The headers and the body of a problem's answer, without `Vary` and `Content-Length`. */
export interface ProblemAnswer {
  headers: Readonly<Record<string, string>>;
  body: string;
}

export type ProblemAnswers = ReturnType<typeof createProblemAnswers>;

/** Paths that neither can be a mistyped short URL nor belong to the sign-in of people. */
const notForVisitors = /^\/(?:api|admin(?!\/sign-in\/)|docs)\//;

/** Whether browsers get problems of this path as pages: it can be a mistyped short URL. */
export const isVisitorPath = (path: string) => !notForVisitors.test(path);

/** The short code in a path, which may be that of a preview. */
const requestedCode = (path: string) => readShortCode(shortCodeOf(path).replace(/(?:\+|%2B)$/i, ''));

/** Presents problems as JSON or, to browsers, as pages if there are any. `baseUrl` is undefined in a process without one. */
export function createProblemAnswers({ baseUrl, pages }: { baseUrl: string | undefined; pages?: Pages }) {
  function findPage(client: Negotiation, problem: Problem, path: string | undefined) {
    const wantsPage = path !== undefined && isVisitorPath(path) && client.accepts('json', 'html') === 'html';
    return wantsPage ? pages?.(client).problem(problem, requestedCode(path)) : undefined;
  }

  /** Presents a problem of a request. `path` is undefined for a request line without a valid one. */
  return (problem: Problem, client: Negotiation, path: string | undefined): ProblemAnswer => {
    const page = pages && findPage(client, problem, path);
    return {
      headers: { ...problemHeaders, ...problem.headers, ...page?.headers },
      body: page?.body ?? JSON.stringify(presentProblem(problem, baseUrl)),
    };
  };
}
