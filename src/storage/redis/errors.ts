import { StoreUnavailable } from '../../resilience/circuit-breaker.ts';
import { errorCodeOf } from '../../resilience/error-code.ts';

/** Replies that blame the command, as opposed to the state of Redis or the rights of its user. */
const answers = /^(ERR|WRONGTYPE|NOSCRIPT|BUSYGROUP|NOGROUP|EXECABORT|INDEX|SYNTAX|UNKNOWN)\b/;

/** Replies that begin with ERR although they are about the state of Redis or the rights of its user. */
const refusingErr =
  /^ERR (max number of clients|DB index|SELECT is not allowed|invalid password|Client sent AUTH|AUTH |unknown command)|ACL failure|no permissions|user executing the script can't|MISCONF|READONLY|OOM command not allowed/i;

/** Errors of a connection, as ioredis and BullMQ word them. */
const connectionTexts =
  /^(Connection is closed|Stream isn't writeable|Command timed out|Socket timeout|Command aborted due to connection close|connect |read |write |getaddrinfo )/;

/** Whether an error says that no connection to Redis exists: not reachable, no such name, no trust, cut, or timed out. */
export function isRedisUnreachable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof StoreUnavailable) return error.store === 'Redis';
  if (error.name === 'MaxRetriesPerRequestError') return true;
  return connectionTexts.test(error.message) || isSocketError(error);
}

/** An error of the operating system or of TLS. */
function isSocketError(error: Error): boolean {
  if ('syscall' in error) return true;
  return /^(ERR_TLS|ERR_SSL|CERT_|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED|HOSTNAME_MISMATCH|EPROTO)/.test(
    errorCodeOf(error),
  );
}

/** Whether an error says that Redis answers and refuses the command: it is full, loading, a replica, a cluster node,
 *  or the login or a right of the user is missing. Every reply is one that does not blame the command itself. */
export function isRedisRefusing(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = /^-?([A-Z][A-Z0-9]{2,20}) /.exec(error.message)?.[1];
  if (code === undefined) return false;
  return answers.test(code) ? refusingErr.test(error.message) : isReply(error, code);
}

/** A reply's error, or one that BullMQ or a script passed on: other errors seldom begin with a word in capitals. */
const isReply = (error: Error, code: string) => error.name === 'ReplyError' || refusals.has(code);

const refusals = new Set([
  'OOM',
  'LOADING',
  'READONLY',
  'MISCONF',
  'MASTERDOWN',
  'CLUSTERDOWN',
  'CROSSSLOT',
  'BUSY',
  'TRYAGAIN',
  'MOVED',
  'ASK',
  'NOAUTH',
  'WRONGPASS',
  'NOPERM',
  'NOREPLICAS',
  'DENIED',
]);

/** Whether Redis cannot be reached or refuses this user now: the caller may try again later. */
export const isRedisUnavailable = (error: unknown): boolean =>
  isRedisUnreachable(error) || isRedisRefusing(error);
