import { maxBuckets } from '../../analytics/query/groups.ts';
import {
  RetentionExceeded,
  EmptyRange,
  TooManyBuckets,
  UnknownTimezone,
} from '../../analytics/query/query.ts';
import { ApiKeyNotFound, PermissionsContradict } from '../../api-keys/api-key.ts';
import { KeySpaceExhausted } from '../../keys/key-generator.ts';
import type { Log } from '../../log.ts';
import { QrTooSmall } from '../../qr/qr-style.ts';
import { QueueUnavailable } from '../../queues/queues.ts';
import { HostNotBlockable, ReportNotFound } from '../../reports/report.ts';
import { CircuitOpen } from '../../resilience/circuit-breaker.ts';
import { Overloaded } from '../../resilience/overloaded.ts';
import {
  isFaultyStatement,
  isPostgresUnavailable,
  isReadOnly,
  sqlStateOf,
} from '../../storage/postgres/errors.ts';
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
import { entityTagOf } from '../etags.ts';
import { Problem, unavailable, validationFailed } from './problem.ts';

const toSnakeCase = (name: string) => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** An error that a library of Koa's throws at a request that it cannot read. */
const isClientError = (error: unknown): error is Error & { status: number } =>
  error instanceof Error &&
  'status' in error &&
  typeof error.status === 'number' &&
  error.status >= 400 &&
  error.status < 500;

/** Which problem each error of the domain is. What is not named here is a 500. */
function toProblem(error: unknown, basePath = ''): Problem | undefined {
  if (error instanceof Problem) return error;
  if (error instanceof UrlNotFound) return new Problem('not-found', 'There is no such short URL.');
  if (error instanceof UrlExpired) return new Problem('expired', 'The short URL has expired.');
  if (error instanceof UrlExhausted) return new Problem('exhausted', 'The short URL is used up.');
  if (error instanceof UrlBlocked)
    return new Problem('blocked', 'The short URL leads to a host that is blocked.');
  if (error instanceof CodeTaken) return new Problem('code-taken', 'The custom code is taken.');
  if (error instanceof CodeDeleted) return codeDeleted(error, basePath);
  if (error instanceof PurgeNotAllowed) {
    const detail = 'Only the API key that created this short URL, or one with the scope admin, may purge it.';
    return new Problem('insufficient-scope', detail);
  }
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
  if (error instanceof UploadRejected) return new Problem('validation-failed', error.message);
  if (error instanceof UploadTooLarge) return new Problem('too-large', error.message);
  if (error instanceof UploadAborted) return new Problem('upload-broken', error.message);
  if (error instanceof InputRejected) {
    return validationFailed(
      error.violations.map(({ field, reason }) => ({ field: toSnakeCase(field), detail: reason })),
    );
  }
  if (error instanceof ApiKeyNotFound) return new Problem('not-found', 'There is no such API key.');
  if (error instanceof ReportNotFound) return new Problem('not-found', 'There is no such report.');
  if (error instanceof HostNotBlockable) {
    const detail = 'is impossible, since this is no name of a host: block a host above it';
    return validationFailed([{ field: 'block_host', detail }]);
  }
  if (error instanceof PermissionsContradict) {
    return validationFailed([
      { field: 'own_urls_only', detail: 'must be false for a key with admin or jobs:run' },
    ]);
  }
  if (error instanceof QrTooSmall) {
    const detail = `must be at least ${error.leastSize} for this margin and level`;
    return validationFailed([{ field: 'size', detail }]);
  }
  if (error instanceof RetentionExceeded) {
    const since = error.since.toISOString();
    return new Problem(
      'detail-not-kept',
      `Minutes and filters need single clicks, which are kept since ${since}.`,
    );
  }
  if (error instanceof EmptyRange) return validationFailed([{ field: 'to', detail: 'must be after from' }]);
  if (error instanceof UnknownTimezone)
    return validationFailed([{ field: 'timezone', detail: 'must be a time zone that the database knows' }]);
  if (error instanceof TooManyBuckets) {
    const detail = `must give at most ${maxBuckets} groups for this range, not ${error.count}`;
    return validationFailed([{ field: 'interval', detail }]);
  }
  if (error instanceof KeySpaceExhausted) return unavailable('No short code is left.');
  if (error instanceof StatementTimeout) return unavailable(error.message, 10);
  if (error instanceof Overloaded) return unavailable('Too many such requests are waiting.');
  if (error instanceof QueueUnavailable) return unavailable('The job queues are not reachable.');
  if (isClientError(error)) return new Problem('bad-request', error.message, { status: error.status });
  if (isPostgresUnavailable(error)) return unavailable(whyNoDatabase(error));
  return undefined;
}

/** Says how to get the code back, as far as the API key may. */
function codeDeleted(
  { shortCode, deletedAt, purgedAt, isOwn, isReplaceable }: CodeDeleted,
  basePath: string,
): Problem {
  const path = `${basePath}/api/v1/urls/${pathOfCode(shortCode)}`;
  const ways = [
    `restore it with POST ${path}/restore`,
    ...(isReplaceable ? ['replace it by sending this request with "restore_deleted": true'] : []),
    ...(isOwn ? [`free the code with DELETE ${path}?purge=true`] : []),
  ];
  return new Problem(
    'code-deleted',
    `A deleted short URL has this code. Until it is purged, you can ${ways.join(', or ')}.`,
    {
      members: {
        deleted_at: deletedAt.toISOString(),
        purged_at: purgedAt.toISOString(),
        restore_path: `${path}/restore`,
      },
    },
  );
}

/** How a request fails that ends with this error: the service cannot answer now, or has a fault; undefined for an answer. */
export function failureOf(error: unknown): 'unavailable' | 'error' | undefined {
  const problem = toProblem(error);
  if (problem === undefined) return 'error';
  return problem.status >= 500 ? 'unavailable' : undefined;
}

function whyNoDatabase(error: unknown): string {
  if (isReadOnly(error))
    return 'The database is read-only: reads are answered, changes are not possible now.';
  const { cause } = error as Error;
  return sqlStateOf(error instanceof CircuitOpen ? cause : error) === undefined
    ? 'The database is not reachable.'
    : 'The database cannot answer this request now.';
}

/** Thousands of requests may be refused: a line for each would cost more than the refusal. */
function levelOf(error: unknown): 'debug' | 'warn' | 'error' {
  if (error instanceof CircuitOpen || error instanceof Overloaded) return 'debug';
  return isFaultyStatement(error) ? 'error' : 'warn';
}

/** The problem that an error is; paths that it names are below `basePath`. One that is nobody's fault but ours shows nothing, and is logged with what is known of the request. */
export function problemOf(
  error: unknown,
  log: Log,
  request: { method: string; path?: string | undefined },
  basePath?: string,
): Problem {
  const known = toProblem(error, basePath);
  if (!known) log.error({ err: error, ...request }, 'request failed');
  else if (known.status >= 500) log[levelOf(error)]({ err: error, method: request.method }, known.message);
  return known ?? new Problem('internal-error', 'Something went wrong on our side.');
}
