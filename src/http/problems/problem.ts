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
  /** Further members of the body (RFC 9457, 3.2). */
  readonly members: Readonly<Record<string, string>>;

  constructor(
    type: ProblemType,
    detail: string,
    more: {
      errors?: FieldError[];
      headers?: Record<string, string>;
      members?: Readonly<Record<string, string>>;
      /** Instead of the kind's usual one. */
      status?: number;
    } = {},
  ) {
    super(detail);
    this.status = more.status ?? problemKinds[type][0];
    this.type = type;
    this.errors = more.errors;
    this.headers = more.headers ?? {};
    this.members = more.members ?? {};
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
  'code-deleted': [409, 'Code of a deleted short URL'],
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

/** The 405 of a path that knows these methods alone. */
export const methodNotAllowed = (allow: string) =>
  new Problem('method-not-allowed', 'This path does not know that method.', {
    headers: { Allow: allow },
  });

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
  ...problem.members,
});
