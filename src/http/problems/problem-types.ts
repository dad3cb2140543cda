interface ProblemTypeInfo {
  status: number;
  title: string;
  /** When the API answers it. */
  when: string;
  /** What a client can do about it. */
  action: string;
}

/** Every problem type (RFC 9457) that the service answers. The page `/docs/problems` and docs/problems.md derive from it. */
export const problemTypes = {
  'malformed-json': {
    status: 400,
    title: 'Malformed JSON',
    when: 'The request body is not a JSON object.',
    action: 'Send valid JSON in UTF-8.',
  },
  'bad-request': {
    status: 400,
    title: 'Bad request',
    when: 'The request is not valid HTTP, or its URL, headers or form cannot be parsed. Some of these requests get status 408 or 431.',
    action: 'Correct the request. `detail` names the part that is invalid.',
  },
  unauthorized: {
    status: 401,
    title: 'Authentication required',
    when: 'The request has no API key, or the key is unknown, expired or revoked, or the session has ended.',
    action: 'Send a valid API key in `x-api-key` or `Authorization: Bearer`, or sign in again.',
  },
  'insufficient-scope': {
    status: 403,
    title: 'Insufficient scope',
    when: 'The API key does not have the scope that the operation requires.',
    action: 'Use an API key with the scope that `WWW-Authenticate` names.',
  },
  'password-required': {
    status: 403,
    title: 'Password required',
    when: 'A client requests a short URL that is protected by a password, and accepts JSON instead of a page.',
    action: 'Send the password as the form field `password` with `POST`.',
  },
  'invalid-password': {
    status: 403,
    title: 'Invalid password',
    when: 'The password of a protected short URL is wrong.',
    action: 'Send the correct password.',
  },
  'confirmation-required': {
    status: 403,
    title: 'Confirmation required',
    when: 'A client requests a one-time short URL with `GET`, and accepts JSON instead of a page.',
    action: 'Send `POST` to follow the short URL. This uses it up.',
  },
  'prefetch-not-allowed': {
    status: 403,
    title: 'Prefetch not allowed',
    when: 'A browser prefetches or prerenders a short URL.',
    action: 'No action is required: the browser repeats the request when the visitor follows the link.',
  },
  'cross-origin-request': {
    status: 403,
    title: 'Cross-origin request',
    when: 'A page of another origin submits a form of this service, or sends a request with the cookie of a session.',
    action: 'Send the request from a page of this service, or with an API key.',
  },
  'not-found': {
    status: 404,
    title: 'Not found',
    when: 'The resource or the path does not exist, or the API key has no access to it.',
    action: 'Check the path and the identifier.',
  },
  'method-not-allowed': {
    status: 405,
    title: 'Method not allowed',
    when: 'The path does not support the request method.',
    action: 'Use one of the methods in the `Allow` header.',
  },
  'upload-aborted': {
    status: 408,
    title: 'Upload aborted',
    when: 'The upload ended early, or no data arrived for 30 seconds.',
    action: 'Upload the file again.',
  },
  'self-modification-forbidden': {
    status: 409,
    title: 'API key cannot restrict itself',
    when: 'An API key tries to revoke itself, to remove its own `admin` scope or to shorten its own lifetime.',
    action: 'Use another API key with the scope `admin`.',
  },
  'no-secret': {
    status: 409,
    title: 'API key has no secret',
    when: 'The API key to rotate belongs to a person who signs in with single sign-on.',
    action: 'Create an API key for programs.',
  },
  'code-taken': {
    status: 409,
    title: 'Short code taken',
    when: 'Another short URL uses the custom code, or the code is reserved for another API key.',
    action: 'Choose another code.',
  },
  'code-deleted': {
    status: 409,
    title: 'Short code belongs to a deleted short URL',
    when: 'A deleted short URL still holds the custom code. `purged_at` tells when the code becomes free.',
    action: 'Restore the short URL with `POST` to `restore_path`, purge it, or choose another code.',
  },
  'not-ready': {
    status: 409,
    title: 'Not ready',
    when: 'The file of an export is not complete, or the export has failed.',
    action: 'Get the export and download its file once `state` is `completed`.',
  },
  'too-many-transfers': {
    status: 409,
    title: 'Too many imports or exports',
    when: 'The API key already has the maximum number of imports or exports.',
    action: 'Wait until one has completed, or delete one.',
  },
  expired: {
    status: 410,
    title: 'Expired',
    when: 'The short URL has expired.',
    action: 'Set a later `expires_at` to use it again.',
  },
  exhausted: {
    status: 410,
    title: 'Click limit reached',
    when: 'The short URL has reached its click limit, or was a one-time link that has been opened.',
    action: 'Raise `max_clicks` to use it again.',
  },
  'version-mismatch': {
    status: 412,
    title: 'Precondition failed',
    when: 'The short URL does not have the version in `If-Match`: it has changed since it was read.',
    action: 'Get the short URL again, then repeat the change with its current `ETag`.',
  },
  'too-large': {
    status: 413,
    title: 'Request too large',
    when: 'The request body or file exceeds the maximum size. Headers that are too long get status 431.',
    action: 'Send less data per request.',
  },
  'unsupported-media-type': {
    status: 415,
    title: 'Unsupported media type',
    when: 'The operation does not accept the `Content-Type` or `Content-Encoding` of the body.',
    action: 'Send one of the media types that `detail` names.',
  },
  'retention-exceeded': {
    status: 422,
    title: 'Retention period exceeded',
    when: 'The query needs single click events, and the range begins before the retained period.',
    action: 'Choose a later `from`, or a query without filters and minutes.',
  },
  'validation-failed': {
    status: 422,
    title: 'Validation failed',
    when: 'A field of the body, query or header is invalid. `errors` lists each field.',
    action: 'Correct the fields in `errors`.',
  },
  'idempotency-key-reused': {
    status: 422,
    title: 'Idempotency key reused',
    when: 'The `Idempotency-Key` was sent before with a different request.',
    action: 'Use a new key for each distinct request.',
  },
  'too-many-attempts': {
    status: 429,
    title: 'Too many attempts',
    when: 'Too many wrong passwords were sent for a short URL.',
    action: 'Retry after the seconds in `Retry-After`.',
  },
  'rate-limited': {
    status: 429,
    title: 'Too many requests',
    when: 'The API key or the client address has exceeded its rate limit.',
    action: 'Retry after the seconds in `Retry-After`.',
  },
  blocked: {
    status: 451,
    title: 'Blocked',
    when: 'The short URL redirects to a blocked host.',
    action: 'Change `original_url`, or ask an administrator to unblock the host.',
  },
  'internal-error': {
    status: 500,
    title: 'Internal server error',
    when: 'The service has failed in an unexpected way. The error is in its log.',
    action: 'Retry later. Report the error to the operator if it persists.',
  },
  unavailable: {
    status: 503,
    title: 'Service unavailable',
    when: 'PostgreSQL or Redis is unavailable, or the service is overloaded.',
    action: 'Retry after the seconds in `Retry-After`.',
  },
} as const satisfies Record<string, ProblemTypeInfo>;

export type ProblemType = keyof typeof problemTypes;

/** The path of the page that documents each type in a section of its own. */
export const problemTypesPath = '/docs/problems';

/** The URI that identifies a problem type: the address of its documentation. A process without a base URL serves none: `about:blank` (RFC
 *  9457, section 4.2.1). */
export const problemUri = (type: ProblemType, baseUrl: string | undefined) =>
  baseUrl === undefined ? 'about:blank' : `${baseUrl}${problemTypesPath}#${type}`;
