import { type ProblemType, problemTypes, problemUri } from './problem-types.ts';

/** A field of a request that breaks a rule. */
export interface FieldError {
  field: string;
  detail: string;
}

/** An error with an answer of its own: a problem of RFC 9457. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly status: number;
  readonly type: ProblemType;
  readonly errors: FieldError[] | undefined;
  readonly headers: Record<string, string>;
  /** Extension members of the body (RFC 9457, section 3.2). */
  readonly members: Readonly<Record<string, string>>;

  constructor(
    type: ProblemType,
    detail: string,
    more: {
      errors?: FieldError[];
      headers?: Record<string, string>;
      members?: Readonly<Record<string, string>>;
      /** Overrides the status of the type. */
      status?: number;
    } = {},
  ) {
    super(detail);
    this.status = more.status ?? problemTypes[type].status;
    this.type = type;
    this.errors = more.errors;
    this.headers = more.headers ?? {};
    this.members = more.members ?? {};
  }
}

/** 503 for a condition that is likely to end soon. */
export const unavailable = (detail: string, retryAfterSeconds = 2) =>
  new Problem('unavailable', detail, { headers: { 'Retry-After': String(retryAfterSeconds) } });

/** 422 with these field errors: at most 50 of them, and 1,000 characters of `detail`. */
export function validationFailed(errors: FieldError[]): Problem {
  const detail = errors.map(({ field, detail }) => `${field} ${detail}`).join('; ');
  return new Problem('validation-failed', `${detail.slice(0, 1_000)}.`, { errors: errors.slice(0, 50) });
}

/** 404 for a short URL that does not exist, or that visitors must not know of. */
export const urlNotFound = () => new Problem('not-found', 'Short URL not found.');

/** 404 for a path without a route. */
export const routeNotFound = () => new Problem('not-found', 'Not found.');

/** 405 for a path that has other methods; the router has set `Allow` where none is given. */
export const methodNotAllowed = (allow?: string) =>
  new Problem('method-not-allowed', 'Method not allowed.', {
    ...(allow !== undefined && { headers: { Allow: allow } }),
  });

/** Headers of every problem: no caching, and nothing for a browser to run, load, frame or sniff. */
export const problemHeaders = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Content-Type': 'application/problem+json',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
} as const;

/** The body of a problem's answer. `baseUrl` is undefined in a process without one. */
export const presentProblem = (problem: Problem, baseUrl: string | undefined) => ({
  type: problemUri(problem.type, baseUrl),
  title: problemTypes[problem.type].title,
  status: problem.status,
  detail: problem.message,
  errors: problem.errors,
  ...problem.members,
});
