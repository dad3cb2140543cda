import {
  RetentionExceeded,
  EmptyRange,
  TooManyBuckets,
  UnknownTimezone,
} from '../../analytics/query/query.ts';
import {
  ApiKeyNotFound,
  KeyHasNoSecret,
  PermissionsContradict,
  SetByProvider,
} from '../../api-keys/api-key.ts';
import { KeySpaceExhausted } from '../../keys/key-generator.ts';
import { QrTooSmall } from '../../qr/qr-style.ts';
import { QueueUnavailable } from '../../queues/queues.ts';
import { HostNotBlockable, ReportNotFound } from '../../reports/report.ts';
import { Overloaded } from '../../resilience/overloaded.ts';
import { SessionNotFound } from '../../sessions/session.ts';
import { StatementTimeout } from '../../storage/postgres/statement-timeout.ts';
import {
  ExportNotReady,
  TooManyTransfers,
  TransferNotFound,
  UploadAborted,
  UploadRejected,
  UploadTooLarge,
} from '../../transfers/transfer.ts';
import { InputRejected } from '../../urls/input/rules.ts';
import { pathOfCode } from '../../urls/short-url.ts';
import { IdempotencyKeyReused } from '../../urls/store/idempotency-key.ts';
import {
  CodeDeleted,
  CodeTaken,
  PurgeNotAllowed,
  UrlBlocked,
  UrlExhausted,
  UrlExpired,
  UrlNotFound,
  VersionMismatch,
} from '../../urls/url.ts';
import { basePathOf } from '../base-path.ts';
import { entityTagOf } from '../etags.ts';
import type { ProblemType } from './problem-types.ts';
import { Problem, unavailable, urlNotFound, validationFailed } from './problem.ts';

type ErrorClass<E extends Error> = new (...args: never[]) => E;

/** Makes the problem of an error; paths in it are below the base URL. */
type ErrorMapping = (error: Error, baseUrl: string | undefined) => Problem | undefined;

const map = <E extends Error>(
  errorClass: ErrorClass<E>,
  toProblem: (error: E, baseUrl: string | undefined) => Problem,
): [unknown, ErrorMapping] => [
  errorClass,
  (error, baseUrl) => (error instanceof errorClass ? toProblem(error, baseUrl) : undefined),
];

const as = (type: ProblemType, detail: string) => () => new Problem(type, detail);
const withMessage = (type: ProblemType) => (error: Error) => new Problem(type, error.message);
const invalid = (field: string, detail: string) => () => validationFailed([{ field, detail }]);

/** The problem of each class of error that the domain throws. */
const mappings = new Map<unknown, ErrorMapping>([
  map(UrlNotFound, urlNotFound),
  map(UrlExpired, as('expired', 'The short URL has expired.')),
  map(UrlExhausted, as('exhausted', 'The short URL has reached its click limit.')),
  map(UrlBlocked, as('blocked', 'The short URL redirects to a blocked host.')),
  map(CodeTaken, as('code-taken', 'The custom code is already in use.')),
  map(CodeDeleted, codeDeleted),
  map(
    PurgeNotAllowed,
    as('insufficient-scope', 'Purging requires the API key that created the short URL, or the scope admin.'),
  ),
  map(
    IdempotencyKeyReused,
    as('idempotency-key-reused', 'The Idempotency-Key was used with a different request.'),
  ),
  map(
    VersionMismatch,
    ({ version }) =>
      new Problem('version-mismatch', 'The version of the short URL does not match If-Match.', {
        headers: { ETag: entityTagOf(version) },
      }),
  ),
  map(InputRejected, ({ violations }) =>
    validationFailed(violations.map(({ field, reason }) => ({ field: toSnakeCase(field), detail: reason }))),
  ),
  map(TransferNotFound, withMessage('not-found')),
  map(TooManyTransfers, withMessage('too-many-transfers')),
  map(ExportNotReady, withMessage('not-ready')),
  map(UploadRejected, withMessage('validation-failed')),
  map(UploadTooLarge, withMessage('too-large')),
  map(UploadAborted, withMessage('upload-aborted')),
  map(ApiKeyNotFound, withMessage('not-found')),
  map(ReportNotFound, withMessage('not-found')),
  map(SessionNotFound, withMessage('not-found')),
  map(
    HostNotBlockable,
    invalid('block_host', 'is not possible: the URL has no host name. Block a parent domain instead'),
  ),
  map(PermissionsContradict, invalid('own_urls_only', 'must be false for a key with admin or jobs:run')),
  map(KeyHasNoSecret, withMessage('no-secret')),
  map(SetByProvider, ({ settings }) =>
    validationFailed(
      settings.map((name) => ({
        field: toSnakeCase(name),
        detail: 'is determined by the identity provider at each sign-in of the person',
      })),
    ),
  ),
  map(QrTooSmall, ({ minSize }) =>
    validationFailed([{ field: 'size', detail: `must be at least ${minSize} for this margin and level` }]),
  ),
  map(
    RetentionExceeded,
    ({ since }) =>
      new Problem(
        'retention-exceeded',
        `Minutes and filters need single click events, which are retained since ${since.toISOString()}.`,
      ),
  ),
  map(EmptyRange, invalid('to', 'must be after from')),
  map(UnknownTimezone, invalid('timezone', 'must be a time zone that the database supports')),
  map(TooManyBuckets, ({ count, max }) => {
    const detail = `must give at most ${max} groups for this range, not ${count}`;
    return validationFailed([{ field: 'interval', detail }]);
  }),
  map(KeySpaceExhausted, () => unavailable('No short code is available.')),
  map(StatementTimeout, ({ message }) => unavailable(message, 10)),
  map(Overloaded, () => unavailable('Too many requests of this kind are waiting.')),
  map(QueueUnavailable, () => unavailable('The job queues are unreachable.')),
]);

/** The mapping for the class of an error; undefined for errors that are not the domain's. */
export const findErrorMapping = (error: Error): ErrorMapping | undefined => mappings.get(error.constructor);

const toSnakeCase = (name: string) => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Names each way in which this API key can get the code back. */
function codeDeleted(
  { shortCode, deletedAt, purgedAt, isOwn, isReplaceable }: CodeDeleted,
  baseUrl: string | undefined,
): Problem {
  const basePath = baseUrl === undefined ? '' : basePathOf(baseUrl);
  const path = `${basePath}/api/v1/urls/${pathOfCode(shortCode)}`;
  const options = [
    `restore it with POST ${path}/restore`,
    ...(isReplaceable ? ['replace it by sending this request with "restore_deleted": true'] : []),
    ...(isOwn ? [`free the code with DELETE ${path}?purge=true`] : []),
  ];
  return new Problem(
    'code-deleted',
    `A deleted short URL has this code. Until it is purged, you can ${options.join(', or ')}.`,
    {
      members: {
        deleted_at: deletedAt.toISOString(),
        purged_at: purgedAt.toISOString(),
        restore_path: `${path}/restore`,
      },
    },
  );
}
