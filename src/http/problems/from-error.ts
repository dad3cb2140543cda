import type { Log } from '../../log.ts';
import { CircuitOpen } from '../../resilience/circuit-breaker.ts';
import { Overloaded } from '../../resilience/overloaded.ts';
import {
  isFaultyStatement,
  isPostgresUnavailable,
  isReadOnly,
  sqlStateOf,
} from '../../storage/postgres/errors.ts';
import { findErrorMapping } from './error-mappings.ts';
import { Problem, unavailable } from './problem.ts';

/** A 4xx that a library of Koa throws for a request that it cannot parse. */
const isClientError = (error: unknown): error is Error & { status: number } =>
  error instanceof Error &&
  'status' in error &&
  typeof error.status === 'number' &&
  error.status >= 400 &&
  error.status < 500;

/** The problem for an error; undefined for an unexpected error, which is a 500. */
function toProblem(error: unknown, baseUrl?: string): Problem | undefined {
  if (error instanceof Problem) return error;
  if (!(error instanceof Error)) return undefined;
  const mapping = findErrorMapping(error);
  if (mapping) return mapping(error, baseUrl);
  if (isClientError(error)) return new Problem('bad-request', error.message, { status: error.status });
  return isPostgresUnavailable(error) ? unavailable(describeDatabaseError(error)) : undefined;
}

function describeDatabaseError(error: Error): string {
  if (isReadOnly(error)) return 'The database is read-only. Reads succeed, changes are not possible.';
  return sqlStateOf(error instanceof CircuitOpen ? error.cause : error) === undefined
    ? 'The database is unreachable.'
    : 'The database cannot process this request now.';
}

/** Whether a request that ends with this error has failed: `unavailable` for a 5xx that is expected to end, `error` for an unexpected one. */
export function failureOf(error: unknown): 'unavailable' | 'error' | undefined {
  const problem = toProblem(error);
  if (problem === undefined) return 'error';
  return problem.status >= 500 ? 'unavailable' : undefined;
}

/** Rejections under overload are logged at debug level: a line for each would cost more than the rejection. */
function levelOf(error: unknown): 'debug' | 'warn' | 'error' {
  if (error instanceof CircuitOpen || error instanceof Overloaded) return 'debug';
  return isFaultyStatement(error) ? 'error' : 'warn';
}

/** The problem for an error; paths in it are below the base URL. An unexpected error is logged with its request, and its problem shows nothing of it. */
export function problemOf(
  error: unknown,
  log: Log,
  request: { method: string; path?: string | undefined },
  baseUrl: string | undefined,
): Problem {
  const known = toProblem(error, baseUrl);
  if (!known) log.error({ err: error, ...request }, 'request failed');
  else if (known.status >= 500)
    log[levelOf(error)]({ err: error, method: request.method, detail: known.message }, 'request unavailable');
  return known ?? new Problem('internal-error', 'Internal server error.');
}
