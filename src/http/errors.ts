import type { Context, Middleware } from 'koa';
import { ApiKeyNotFound, PermissionsContradict } from '../api-keys/api-key.ts';
import { StoreNotAsked } from '../breaker.ts';
import { QueueUnavailable } from '../jobs.ts';
import { KeySpaceExhausted } from '../keys/key-generator.ts';
import type { Log } from '../log.ts';
import { isPostgresUnavailable } from '../postgres.ts';
import {
  ExportNotReady,
  TransferNotFound,
  UploadBroken,
  UploadRefused,
  UploadTooLarge,
} from '../transfers/transfer.ts';
import { UrlRefused } from '../urls/url-policy.ts';
import { CodeTaken, Overloaded, UrlExpired, UrlNotFound } from '../urls/url.ts';

/** What is wrong with one field of a request. */
export interface FieldError {
  field: string;
  detail: string;
}

/** A request that cannot be answered; says with which status, kind and text. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly status: number;
  readonly type: ProblemType;
  readonly errors: FieldError[] | undefined;
  readonly headers: Record<string, string>;

  constructor(
    status: number,
    type: ProblemType,
    detail: string,
    more: { errors?: FieldError[]; headers?: Record<string, string> } = {},
  ) {
    super(detail);
    this.status = status;
    this.type = type;
    this.errors = more.errors;
    this.headers = more.headers ?? {};
  }
}

/** Every kind of problem, with its title. */
export const problemTitles = {
  'malformed-json': 'Malformed JSON',
  unauthorized: 'API key needed',
  'insufficient-scope': 'API key not allowed to do this',
  'not-found': 'Not found',
  'method-not-allowed': 'Method not allowed',
  'code-taken': 'Code taken',
  expired: 'Expired',
  'not-ready': 'Not ready',
  'upload-broken': 'Upload broken off',
  'too-large': 'Request too large',
  'unsupported-media-type': 'Unsupported media type',
  'validation-failed': 'Validation failed',
  unavailable: 'Unavailable for the moment',
  'bad-request': 'Bad request',
  'foreign-origin': 'Foreign origin',
  'internal-error': 'Internal error',
} as const;

export type ProblemType = keyof typeof problemTitles;

/** The status that each kind of problem has. */
export const problemStatuses: Record<ProblemType, number> = {
  'malformed-json': 400,
  unauthorized: 401,
  'insufficient-scope': 403,
  'not-found': 404,
  'method-not-allowed': 405,
  'code-taken': 409,
  expired: 410,
  'not-ready': 409,
  'upload-broken': 408,
  'too-large': 413,
  'unsupported-media-type': 415,
  'validation-failed': 422,
  unavailable: 503,
  'bad-request': 400,
  'foreign-origin': 403,
  'internal-error': 500,
};

/** The 503 of what may do well in a moment. */
export const unavailable = (detail: string, retryAfterSeconds = 2) =>
  new Problem(503, 'unavailable', detail, { headers: { 'Retry-After': String(retryAfterSeconds) } });

/** An error that a library of Koa's throws at a request that it cannot read. */
const isClientError = (error: unknown): error is Error & { status: number } =>
  error instanceof Error &&
  'status' in error &&
  typeof error.status === 'number' &&
  error.status >= 400 &&
  error.status < 500;

/** Which problem each error of the domain is. What is not named here is a 500. */
function toProblem(error: unknown): Problem | undefined {
  if (error instanceof Problem) return error;
  if (error instanceof UrlNotFound) return new Problem(404, 'not-found', 'There is no such short URL.');
  if (error instanceof UrlExpired) return new Problem(410, 'expired', 'The short URL has expired.');
  if (error instanceof CodeTaken) return new Problem(409, 'code-taken', 'The custom code is taken.');
  if (error instanceof UrlRefused) {
    return new Problem(422, 'validation-failed', `original_url ${error.message}.`, {
      errors: [{ field: 'original_url', detail: error.message }],
    });
  }
  if (error instanceof TransferNotFound) return new Problem(404, 'not-found', error.message);
  if (error instanceof ExportNotReady) return new Problem(409, 'not-ready', error.message);
  if (error instanceof UploadRefused) return new Problem(422, 'validation-failed', error.message);
  if (error instanceof UploadTooLarge) return new Problem(413, 'too-large', error.message);
  if (error instanceof UploadBroken) return new Problem(408, 'upload-broken', error.message);
  if (error instanceof ApiKeyNotFound) return new Problem(404, 'not-found', 'There is no such API key.');
  if (error instanceof PermissionsContradict) {
    return new Problem(422, 'validation-failed', `own_urls_only ${error.message}.`, {
      errors: [{ field: 'own_urls_only', detail: error.message }],
    });
  }
  if (error instanceof KeySpaceExhausted) return unavailable('No short code is left.');
  if (error instanceof Overloaded) return unavailable('Too many look-ups are waiting.');
  if (error instanceof QueueUnavailable) return unavailable('The job queues are not reachable.');
  if (isClientError(error)) return new Problem(error.status, 'bad-request', error.message);
  if (isPostgresUnavailable(error)) return unavailable('The database is not reachable.');
  return undefined;
}

/** A problem as its answer's body shows it. */
export const presentProblem = (problem: Problem) => ({
  type: `urn:linkmill:problem:${problem.type}`,
  title: problemTitles[problem.type],
  status: problem.status,
  detail: problem.message,
  errors: problem.errors,
});

/** Thousands of requests may be refused: a line for each would cost more than the refusal. */
const levelOf = (error: unknown) =>
  error instanceof StoreNotAsked || error instanceof Overloaded ? 'debug' : 'warn';

/** The 405 of a path that knows these methods alone. */
export const methodNotAllowed = (allow: string) =>
  new Problem(405, 'method-not-allowed', 'This path does not know that method.', {
    headers: { Allow: allow },
  });

/** What the router found no handler for; it has set `Allow` where the path exists. */
function problemOfRouting(status: number): Problem {
  return status === 404
    ? new Problem(404, 'not-found', 'There is nothing here.')
    : new Problem(405, 'method-not-allowed', 'This path does not know that method.');
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

/** Answers every error as `application/problem+json` (RFC 9457). An error that is nobody's fault but ours shows nothing
 *  and logs everything. */
export function answerErrors(log: Log): Middleware {
  return async (ctx, next) => {
    const path = readPath(ctx);
    try {
      if (path === undefined) throw new Problem(400, 'bad-request', 'The request line names no path.');
      await next();
      if (ctx.body === undefined && ctx.status >= 400) throw problemOfRouting(ctx.status);
    } catch (error) {
      const known = toProblem(error);
      if (!known) log.error({ err: error, method: ctx.method, path: path?.slice(0, 200) }, 'request failed');
      else if (known.status >= 500) log[levelOf(error)]({ err: error, method: ctx.method }, known.message);
      const problem = known ?? new Problem(500, 'internal-error', 'Something went wrong on our side.');
      ctx.status = problem.status;
      ctx.set('Cache-Control', 'no-store');
      ctx.set(problem.headers);
      ctx.body = presentProblem(problem);
      ctx.type = 'application/problem+json';
    }
  };
}
