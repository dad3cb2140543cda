import { StoreUnavailable } from '../../resilience/circuit-breaker.ts';
import { errorCodeOf } from '../../resilience/error-code.ts';

/** Replies about a wrong command, as opposed to the state of Redis or the rights of its user. */
const answers = /^(ERR|WRONGTYPE|NOSCRIPT|BUSYGROUP|NOGROUP|EXECABORT|INDEX|SYNTAX|UNKNOWN)\b/;

/** Replies that begin with ERR although they concern the state of Redis or the rights of its user. */
const rejectingErr =
  /^ERR (max number of clients|DB index|SELECT is not allowed|invalid password|Client sent AUTH|AUTH |unknown command)|ACL failure|no permissions|user executing the script can't|MISCONF|READONLY|OOM command not allowed/i;

/** Connection errors of ioredis and BullMQ. */
const connectionTexts =
  /^(Connection is closed|Stream isn't writeable|Command timed out|Socket timeout|Command aborted due to connection close|connect |read |write |getaddrinfo |All sentinels are unreachable|Too many Cluster redirections|Cluster (isn't ready|is ended)|None of startup nodes|Failed to refresh slots cache|no node of the cluster)/;

/** Whether there is no connection to Redis: unreachable, unknown host, untrusted certificate, closed, or timed out. */
export function isRedisUnreachable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof StoreUnavailable) return error.store !== 'PostgreSQL';
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

/** Whether Redis answers and rejects every such command: it is full, loading, a replica or a cluster node, or the user lacks a login or a
 *  right. Every error reply counts that is not about a wrong command. */
export function isRedisRejecting(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = /^-?([A-Z][A-Z0-9]{2,20}) /.exec(error.message)?.[1];
  if (code === undefined) return false;
  return answers.test(code) ? rejectingErr.test(error.message) : isReply(error, code);
}

/** Whether an error is a reply of Redis, perhaps rethrown by BullMQ or a script. */
const isReply = (error: Error, code: string) => error.name === 'ReplyError' || rejections.has(code);

const rejections = new Set([
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

/** Whether Redis is unreachable or rejects this user now; a later attempt may succeed. */
export const isRedisUnavailable = (error: unknown): boolean =>
  isRedisUnreachable(error) || isRedisRejecting(error);
