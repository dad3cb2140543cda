import knex from 'knex';
import { StoreUnavailable } from '../../resilience/circuit-breaker.ts';
import { errorCodeOf } from '../../resilience/error-code.ts';
import { UnreadableValue } from './values.ts';

/** PostgreSQL requires a password, and none is set. */
export class PasswordMissing extends Error {
  override readonly name = 'PasswordMissing';

  constructor() {
    super(
      'PostgreSQL requires a password, and none is set: set DATABASE_PASSWORD, or add it to DATABASE_URL',
    );
  }
}

/** PostgreSQL requires an authentication method that is not supported. */
export class UnsupportedLogin extends Error {
  override readonly name = 'UnsupportedLogin';

  constructor(options: ErrorOptions) {
    super(
      'PostgreSQL requires an authentication method that is not supported, such as GSSAPI or SSPI: use scram-sha-256 in pg_hba.conf',
      options,
    );
  }
}

/** Of several hosts, those that answer are standbys or read-only or, where a standby is wanted, primaries. */
export class NoSuitableHost extends Error {
  override readonly name = 'NoSuitableHost';

  constructor(wantsStandby: boolean) {
    super(
      wantsStandby
        ? 'none of the hosts of DATABASE_REPLICA_URL is a standby'
        : 'none of the hosts of DATABASE_URL accepts writes: promote a standby',
    );
  }
}

/** Failures to connect, and lost connections. Errors of TLS, passwords and the protocol have only their origin in common. */
const connectionFailures = new WeakSet<object>();

/** Marks an error as a failure of the connection, and returns it. */
export function asConnectionFailure(error: unknown): unknown {
  if (error instanceof Error) connectionFailures.add(error);
  return error;
}

/** The SQLSTATEs that Linkmill handles, under their names in the manual of PostgreSQL (appendix A). */
const sqlStates = {
  protocolViolation: '08P01',
  featureNotSupported: '0A000',
  invalidParameterValue: '22023',
  checkViolation: '23514',
  readOnlySqlTransaction: '25006',
  invalidAuthorization: '28000',
  invalidPassword: '28P01',
  serializationFailure: '40001',
  deadlockDetected: '40P01',
  insufficientPrivilege: '42501',
  lockNotAvailable: '55P03',
  queryCanceled: '57014',
} as const;

/** The SQLSTATE of an error of PostgreSQL; undefined for other errors, such as EPIPE of Node.js. */
export function sqlStateOf(error: unknown): string | undefined {
  const code = errorCodeOf(error);
  return /^(\d[\dA-Z]|F0|HV|P0|XX)[\dA-Z]{3}$/.test(code) ? code : undefined;
}

/** Errors that a request itself can cause: classes 22 (data exception), 23 (integrity constraint) and 44 (check option); P0001: a trigger
 *  of the operator rejects the row. */
const isAnswer = (sqlState: string) => /^(22|23|44|P0001)/.test(sqlState);

/** Errors that every statement meets: classes 08 (connection), 28 (login), 3D (no such database); 53200, 53300: out of memory or
 *  connections; 57P: shutting down, starting up, connection ended. */
const isServerFailure = (sqlState: string) => /^(08|28|3D|532|533|57P)/.test(sqlState);

/** Whether PostgreSQL cannot answer now, as opposed to rejecting the request. Every error counts that a request cannot cause: a missing
 *  right, table or column, a read-only server, and each unknown error. */
export function isPostgresUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const sqlState = sqlStateOf(error);
  return sqlState === undefined || connectionFailures.has(error)
    ? isConnectionFailure(error)
    : !isAnswer(sqlState);
}

function isConnectionFailure(error: Error): boolean {
  if (error instanceof StoreUnavailable) return error.store === 'PostgreSQL';
  if (isPoolTimeout(error) || error instanceof UnreadableValue) return true;
  if (connectionFailures.has(error)) return true;
  const code = errorCodeOf(error);
  if (/^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN)$/.test(code))
    return true;
  return /^(Connection terminated|Query read timeout|timeout expired|Client has encountered a connection error)/.test(
    error.message.replace(/^.* - (?=Connection terminated|Query read timeout|timeout expired)/s, ''),
  );
}

/** Whether PostgreSQL answers but cannot run this statement; other statements may succeed. */
export function isStatementFailure(error: unknown): boolean {
  const sqlState = sqlStateOf(error);
  if (!(error instanceof Error) || sqlState === undefined || connectionFailures.has(error)) return false;
  return !isAnswer(sqlState) && !isServerFailure(sqlState);
}

/** Whether a statement is wrong, which is a fault of Linkmill or of the schema: class 42 without missing rights. */
export function isFaultyStatement(error: unknown): boolean {
  const sqlState = sqlStateOf(error);
  return sqlState !== undefined && sqlState.startsWith('42') && !isPermissionDenied(error);
}

/** Whether a change failed because PostgreSQL is read-only: a standby, or `default_transaction_read_only`. */
export function isReadOnly(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return sqlStateOf(error) === sqlStates.readOnlySqlTransaction || isReadOnly(error.cause);
}

/** Whether PostgreSQL rolled back a transaction in favour of another one: the same transaction may succeed when it is retried. */
export function isConflict(error: unknown): boolean {
  const sqlState = sqlStateOf(error);
  return sqlState === sqlStates.serializationFailure || sqlState === sqlStates.deadlockDetected;
}

/** Whether PostgreSQL can never store the values of a statement: a data exception (class 22) or a violated check constraint. */
export function isRejectedData(error: unknown): boolean {
  const sqlState = sqlStateOf(error);
  return sqlState === sqlStates.checkViolation || (sqlState?.startsWith('22') ?? false);
}

/** Whether a statement waited longer than `lock_timeout` for a lock, or did not get one with `nowait`. */
export const isLockTimeout = (error: unknown): boolean => sqlStateOf(error) === sqlStates.lockNotAvailable;

/** Whether `statement_timeout` or an operator ended a statement. */
export const isStatementCanceled = (error: unknown): boolean => sqlStateOf(error) === sqlStates.queryCanceled;

/** Whether the role lacks a right that the statement needs. */
export const isPermissionDenied = (error: unknown): boolean =>
  sqlStateOf(error) === sqlStates.insufficientPrivilege;

/** Whether a parameter has a value that its function does not accept, such as an unknown time zone. */
export const isInvalidParameter = (error: unknown): boolean =>
  sqlStateOf(error) === sqlStates.invalidParameterValue;

export const isInvalidPassword = (error: unknown): boolean => sqlStateOf(error) === sqlStates.invalidPassword;

/** Whether the server rejects this user, host or way to connect, such as a connection without TLS. */
export const isInvalidAuthorization = (error: unknown): boolean =>
  sqlStateOf(error) === sqlStates.invalidAuthorization;

/** Whether a pooler rejects a session setting of a new connection: PgBouncer and Neon with a protocol violation, RDS Proxy as not
 *  supported. */
export function isUnsupportedSetting(error: unknown): boolean {
  const sqlState = sqlStateOf(error);
  return sqlState === sqlStates.protocolViolation || sqlState === sqlStates.featureNotSupported;
}

/** Whether no connection of the pool became free in time. */
export const isPoolTimeout = (error: unknown): boolean => error instanceof knex.KnexTimeoutError;

const failures: [sqlState: RegExp, reason: string][] = [
  [/^28/, 'PostgreSQL rejects the login: check the password, the role and pg_hba.conf'],
  [/^3D/, 'PostgreSQL does not have this database: check its name'],
  [/^42501/, 'The role may not connect to the database: grant it the right CONNECT'],
  [/^53300/, 'PostgreSQL has no free connection: raise max_connections or lower DATABASE_POOL_MAX'],
  [/^57P/, 'PostgreSQL is starting up or shutting down'],
];

/** Why PostgreSQL cannot be used, in one sentence without a host, role, statement or value. */
export function describeFailure(error: unknown): string {
  if (error instanceof PasswordMissing || error instanceof UnsupportedLogin) return `${error.message}.`;
  if (error instanceof NoSuitableHost) return `${error.message[0]!.toUpperCase()}${error.message.slice(1)}.`;
  const sqlState = sqlStateOf(error);
  const known = failures.find(([pattern]) => pattern.test(sqlState ?? ''))?.[1];
  const code = errorCodeOf(error);
  const isShown = /^[A-Z\d_]{1,40}$/.test(code);
  return `${known ?? 'PostgreSQL cannot be used'}${isShown ? ` (${code})` : ''}.`;
}
