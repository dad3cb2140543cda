import { errorCodeOf } from '../../resilience/error-code.ts';
import { minimumRedisVersion } from './bullmq-options.ts';

/** The problems that a probe found: a reason for the operator, by condition. */
export type RedisProblems = Partial<
  Record<
    | 'redis_unavailable'
    | 'redis_login_refused'
    | 'redis_unsupported'
    | 'redis_refuses_writes'
    | 'redis_rights_missing'
    | 'redis_evicts',
    string
  >
>;

export type RejectedCommands = { command: string; error: unknown }[];

/** The problems that the answer to INFO shows. */
export function explainInfo(info: string, { isCluster }: { isCluster: boolean }): RedisProblems {
  const read = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];
  const version = read('redis_version');
  const policy = read('maxmemory_policy');
  if (read('redis_mode') === 'cluster' && !isCluster) return { redis_unsupported: isClusterNode };
  if (version !== undefined && isOlder(version, minimumRedisVersion)) {
    return { redis_unsupported: `Redis ${version} is too old: ${minimumRedisVersion} or newer is required.` };
  }
  return {
    ...(read('role') === 'slave' && { redis_refuses_writes: isReplica }),
    ...(policy !== undefined &&
      policy !== 'noeviction' && {
        redis_evicts: `Redis has maxmemory-policy ${policy} and may evict clicks and jobs: set it to noeviction.`,
      }),
  };
}

const isClusterNode =
  'Redis is a node of a Redis Cluster: name several of its nodes as REDIS_URL=redis+cluster://host1:6379,host2:6379.';
const isNoCluster = 'Redis is not in cluster mode: set REDIS_URL to redis://host:6379/0.';
const isIncomplete =
  'Redis Cluster is down: some of its slots have no node. Check its nodes with CLUSTER NODES.';
const isReplica = 'Redis is a replica and rejects writes: set REDIS_URL to the primary.';

/** The problem that the answer to CLUSTER INFO shows. */
export const explainClusterInfo = (info: string): RedisProblems =>
  /^cluster_state:ok\r?$/m.test(info) ? {} : { redis_unavailable: isIncomplete };

/** The problems behind the error replies to required commands. */
export function explainReplies(rejected: RejectedCommands): RedisProblems {
  const missing = rejected.filter(({ error }) => wordOf(error) === 'NOPERM');
  const other = rejected.find((reply) => !missing.includes(reply));
  return {
    ...(other && explainRejection(other.error)),
    ...(missing.length > 0 && { redis_rights_missing: explainRights(missing) }),
  };
}

/** The problem behind an error reply; undefined for a reply about a wrong command. */
export function explainRejection(error: unknown): RedisProblems | undefined {
  switch (wordOf(error)) {
    case 'CLUSTERDOWN':
      return { redis_unavailable: isIncomplete };
    case 'MOVED':
    case 'ASK':
    case 'CROSSSLOT':
      return { redis_unsupported: isClusterNode };
    case 'READONLY':
    case 'MASTERDOWN':
      return { redis_refuses_writes: isReplica };
    case 'MISCONF':
      return { redis_refuses_writes: 'Redis cannot save to its disk and rejects writes: see its log.' };
    case 'OOM':
      return {
        redis_refuses_writes: 'Redis has reached maxmemory and rejects writes: increase its memory.',
      };
    case 'LOADING':
      return { redis_unavailable: 'Redis is loading its data.' };
    case 'NOPERM':
      return { redis_rights_missing: explainRights([{ command: 'multi', error }]) };
    case 'NOAUTH':
    case 'WRONGPASS':
      return explainConnection(error);
    default:
      return undefined;
  }
}

function explainRights(missing: RejectedCommands): string {
  const hint = 'Grant the rights that docs/operations.md lists under "Redis".';
  const texts = missing.map(({ error }) => (error instanceof Error ? error.message : ''));
  const ofCommands = missing.filter((_, i) => !/\b(keys?|channels?)\b/i.test(texts[i] ?? ''));
  const names = [...new Set(ofCommands.map(({ command }) => command.toUpperCase()))];
  const parts = [
    names.length > 0 && `run ${names.length > 12 ? `${names.slice(0, 12).join(', ')} …` : names.join(', ')}`,
    texts.some((text) => /\bkeys?\b/i.test(text)) &&
      'access keys that begin with REDIS_PREFIX or with "{" and REDIS_PREFIX',
    texts.some((text) => /\bchannels?\b/i.test(text)) && 'access channels that begin with REDIS_PREFIX',
  ].filter((part) => part !== false);
  return `The user of Redis may not ${parts.join(', nor ')}. ${hint}`;
}

/** Why there is no usable connection, without the host, the user and the password. */
export function explainConnection(error: unknown): RedisProblems {
  const code = errorCodeOf(error);
  const word = wordOf(error);
  if (word === 'WRONGPASS')
    return {
      redis_login_refused: 'Redis rejects the login: check the user and the password of REDIS_URL.',
    };
  if (error instanceof Error && /has no database|DB index|SELECT is not allowed/.test(error.message))
    return { redis_unsupported: 'Redis does not have the database of REDIS_URL: change its number.' };
  if (error instanceof Error && error.message.includes('cluster support disabled'))
    return { redis_unsupported: isNoCluster };
  if (word === 'NOAUTH') return { redis_login_refused: 'Redis requires a password: add it to REDIS_URL.' };
  if (/CERT|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|SELF_SIGNED|HOSTNAME_MISMATCH/.test(code))
    return { redis_login_refused: `The certificate of Redis is not trusted (${code}): check REDIS_CA.` };
  if (/^(ENOTFOUND|EAI_)/.test(code)) {
    return {
      redis_unavailable: `The host name of REDIS_URL cannot be resolved (${code}): check REDIS_URL and the DNS.`,
    };
  }
  const detail = code === '' ? '' : ` (${code})`;
  if (error instanceof Error && error.message.startsWith('All sentinels are unreachable'))
    return {
      redis_unavailable:
        'No sentinel of REDIS_URL names a primary: check that they run, their addresses, and the name in REDIS_URL.',
    };
  return {
    redis_unavailable: `Redis does not answer${detail}: check that it is running, and check REDIS_URL.`,
  };
}

/** The first word of an error reply, such as WRONGPASS. */
const wordOf = (error: unknown): string =>
  (error instanceof Error && /^-?([A-Z]+)\b/.exec(error.message)?.[1]) || '';

function isOlder(version: string, than: string): boolean {
  const [a, b] = [version, than].map((text) => text.split('.').map(Number)) as [number[], number[]];
  const i = b.findIndex((part, at) => (a[at] ?? 0) !== part);
  return i >= 0 && (a[i] ?? 0) < (b[i] ?? 0);
}
