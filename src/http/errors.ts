import type { Context, Middleware } from 'koa';
import { maxBuckets } from '../analytics/analytics-groups.ts';
import { DetailNotKept, EmptyRange, TooManyBuckets } from '../analytics/analytics-question.ts';
import { ApiKeyNotFound, PermissionsContradict } from '../api-keys/api-key.ts';
import { StoreNotAsked } from '../breaker.ts';
import { QueueUnavailable } from '../jobs.ts';
import { KeySpaceExhausted } from '../keys/key-generator.ts';
import type { Log } from '../log.ts';
import { isPostgresUnavailable } from '../postgres.ts';
import { QrTooSmall } from '../qr/qr-images.ts';
import { ReportNotFound } from '../reports/report.ts';
import {
  ExportNotReady,
  TooManyTransfers,
  TransferNotFound,
  UploadBroken,
  UploadRefused,
  UploadTooLarge,
} from '../transfers/transfer.ts';
import { SearchTooSlow } from '../urls/bounded-search.ts';
import { IdempotencyKeyReused } from '../urls/idempotency-key.ts';
import { WishRefused } from '../urls/url-rules.ts';
import {
  CodeTaken,
  Overloaded,
  UrlBlocked,
  UrlExhausted,
  UrlExpired,
  UrlNotFound,
  VersionMismatch,
} from '../urls/url.ts';
import { entityTagOf } from './entity-tags.ts';
import { toLoggedPath } from './logged-path.ts';
import { answerPage } from './pages/page.ts';
import { problemPage } from './pages/problem-pages.ts';

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
    type: ProblemType,
    detail: string,
    more: {
      errors?: FieldError[];
      headers?: Record<string, string>;
      /** Instead of the kind's usual one. */
      status?: number;
    } = {},
  ) {
    super(detail);
    this.status = more.status ?? problemKinds[type][0];
    this.type = type;
    this.errors = more.errors;
    this.headers = more.headers ?? {};
  }
}

/** Every kind of problem, with its status and its title. */
export const problemKinds = {
  'malformed-json': [400, 'Malformed JSON'],
  'bad-request': [400, 'Bad request'],
  unauthorized: [401, 'API key needed'],
  'insufficient-scope': [403, 'API key not allowed to do this'],
  'password-needed': [403, 'Password needed'],
  'wrong-password': [403, 'Wrong password'],
  'confirmation-needed': [403, 'Confirmation needed'],
  prefetch: [403, 'Not fetched in advance'],
  'foreign-origin': [403, 'Foreign origin'],
  'not-found': [404, 'Not found'],
  'method-not-allowed': [405, 'Method not allowed'],
  'own-key': [409, 'Not with the API key itself'],
  'code-taken': [409, 'Code taken'],
  expired: [410, 'Expired'],
  exhausted: [410, 'Used up'],
  'version-mismatch': [412, 'Another version'],
  'not-ready': [409, 'Not ready'],
  'too-many-transfers': [409, 'Too many imports or exports'],
  'upload-broken': [408, 'Upload broken off'],
  'too-large': [413, 'Request too large'],
  'unsupported-media-type': [415, 'Unsupported media type'],
  'detail-not-kept': [422, 'Single clicks of that time are not kept'],
  'validation-failed': [422, 'Validation failed'],
  'idempotency-key-reused': [422, 'Idempotency key used before'],
  'too-many-tries': [429, 'Too many tries'],
  'rate-limited': [429, 'Too many requests'],
  blocked: [451, 'Blocked'],
  'internal-error': [500, 'Internal error'],
  unavailable: [503, 'Unavailable for the moment'],
} as const satisfies Record<string, readonly [status: number, title: string]>;

export type ProblemType = keyof typeof problemKinds;

/** The 503 of what may do well in a moment. */
export const unavailable = (detail: string, retryAfterSeconds = 2) =>
  new Problem('unavailable', detail, { headers: { 'Retry-After': String(retryAfterSeconds) } });

/** The 422 of a request with these fields wrong. */
export function validationFailed(errors: FieldError[]): Problem {
  const detail = errors.map(({ field, detail }) => `${field} ${detail}`).join('; ');
  return new Problem('validation-failed', `${detail.slice(0, 1_000)}.`, { errors: errors.slice(0, 50) });
}

const toSnakeCase = (name: string) => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

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
  if (error instanceof UrlNotFound) return new Problem('not-found', 'There is no such short URL.');
  if (error instanceof UrlExpired) return new Problem('expired', 'The short URL has expired.');
  if (error instanceof UrlExhausted) return new Problem('exhausted', 'The short URL is used up.');
  if (error instanceof UrlBlocked)
    return new Problem('blocked', 'The short URL leads to a host that is blocked.');
  if (error instanceof CodeTaken) return new Problem('code-taken', 'The custom code is taken.');
  if (error instanceof IdempotencyKeyReused) {
    return new Problem('idempotency-key-reused', 'This Idempotency-Key came with another request before.');
  }
  if (error instanceof VersionMismatch) {
    return new Problem('version-mismatch', 'The short URL has another version than If-Match says.', {
      headers: { ETag: entityTagOf(error.version) },
    });
  }
  if (error instanceof TransferNotFound) return new Problem('not-found', error.message);
  if (error instanceof TooManyTransfers) return new Problem('too-many-transfers', error.message);
  if (error instanceof ExportNotReady) return new Problem('not-ready', error.message);
  if (error instanceof UploadRefused) return new Problem('validation-failed', error.message);
  if (error instanceof UploadTooLarge) return new Problem('too-large', error.message);
  if (error instanceof UploadBroken) return new Problem('upload-broken', error.message);
  if (error instanceof WishRefused) {
    return validationFailed(
      error.refusals.map(({ asked, reason }) => ({ field: toSnakeCase(asked), detail: reason })),
    );
  }
  if (error instanceof ApiKeyNotFound) return new Problem('not-found', 'There is no such API key.');
  if (error instanceof ReportNotFound) return new Problem('not-found', 'There is no such report.');
  if (error instanceof PermissionsContradict) {
    return validationFailed([
      { field: 'own_urls_only', detail: 'must be false for a key with admin or jobs:run' },
    ]);
  }
  if (error instanceof QrTooSmall) {
    const detail = `must be at least ${error.leastSize} for this margin and level`;
    return validationFailed([{ field: 'size', detail }]);
  }
  if (error instanceof DetailNotKept) {
    const since = error.since.toISOString();
    return new Problem(
      'detail-not-kept',
      `Minutes and filters need single clicks, which are kept since ${since}.`,
    );
  }
  if (error instanceof EmptyRange) return validationFailed([{ field: 'to', detail: 'must be after from' }]);
  if (error instanceof TooManyBuckets) {
    const detail = `must give at most ${maxBuckets} groups for this range, not ${error.count}`;
    return validationFailed([{ field: 'interval', detail }]);
  }
  if (error instanceof KeySpaceExhausted) return unavailable('No short code is left.');
  if (error instanceof SearchTooSlow) return unavailable('The search took too long. Look for less.', 10);
  if (error instanceof Overloaded) return unavailable('Too many such requests are waiting.');
  if (error instanceof QueueUnavailable) return unavailable('The job queues are not reachable.');
  if (isClientError(error)) return new Problem('bad-request', error.message, { status: error.status });
  if (isPostgresUnavailable(error)) return unavailable('The database is not reachable.');
  return undefined;
}

/** How answers spell a type of problem. */
export const problemUrn = (type: ProblemType) => `urn:linkmill:problem:${type}`;

/** What every answer with a problem says: nobody keeps it, and a browser runs, loads, frames and guesses nothing. */
export const problemHeaders = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Content-Type': 'application/problem+json; charset=utf-8',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
} as const;

/** A problem as its answer's body shows it. */
export const presentProblem = (problem: Problem) => ({
  type: problemUrn(problem.type),
  title: problemKinds[problem.type][1],
  status: problem.status,
  detail: problem.message,
  errors: problem.errors,
});

/** Thousands of requests may be refused: a line for each would cost more than the refusal. */
const levelOf = (error: unknown) =>
  error instanceof StoreNotAsked || error instanceof Overloaded ? 'debug' : 'warn';

/** The problem that an error is. One that is nobody's fault but ours shows nothing, and is logged with what is known of the request. */
export function problemOf(
  error: unknown,
  log: Log,
  request: { method: string; path?: string | undefined },
): Problem {
  const known = toProblem(error);
  if (!known) log.error({ err: error, ...request }, 'request failed');
  else if (known.status >= 500) log[levelOf(error)]({ err: error, method: request.method }, known.message);
  return known ?? new Problem('internal-error', 'Something went wrong on our side.');
}

/** The 405 of a path that knows these methods alone. */
export const methodNotAllowed = (allow: string) =>
  new Problem('method-not-allowed', 'This path does not know that method.', {
    headers: { Allow: allow },
  });

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

/** Whether a person in front of a browser asks, and for what a short code could be. */
const isForPeople = (ctx: Context, path: string) =>
  !path.includes('/', 1) && ctx.accepts('json', 'html') === 'html';

/** Answers every error as `application/problem+json` (RFC 9457), or as a page to a visitor's browser. An error that is nobody's fault but ours shows nothing
 *  and logs everything. */
export function answerErrors(log: Log, onProblem: (type: ProblemType) => void = () => undefined): Middleware {
  return async (ctx, next) => {
    const path = readPath(ctx);
    try {
      if (path === undefined) throw new Problem('bad-request', 'The request line names no path.');
      await next();
      if (ctx.body === undefined && ctx.status >= 400) throw problemOfRouting(ctx.status);
    } catch (error) {
      const problem = problemOf(error, log, { method: ctx.method, path: path && toLoggedPath(path) });
      onProblem(problem.type);
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
