import { Cluster, type Redis } from 'ioredis';
import { primariesOf, type RedisClient } from './client.ts';
import { isRedisUnreachable } from './errors.ts';
import {
  explainClusterInfo,
  explainConnection,
  explainInfo,
  explainRejection,
  explainReplies,
  type RedisProblems,
  type RejectedCommands,
} from './probe-problems.ts';

interface ProbeOptions {
  prefix: string;
  channel: string;
  /** The commands whose rights are checked, by purpose. */
  commands: Record<string, string[]>;
}

/** Checks whether Linkmill works with this Redis, and which rights its user lacks. Changes nothing: Redis checks the rights when commands
 *  are queued in a transaction, which is then discarded. `redis` is a connection of the role "probe", `connectionError` its last error.
 *  Never rejects. */
export async function probeRedis(
  redis: RedisClient,
  { connectionError, ...options }: ProbeOptions & { connectionError: () => unknown },
): Promise<RedisProblems> {
  try {
    if (redis.status !== 'ready') return explainConnection(connectionError());
    const isCluster = redis instanceof Cluster;
    const problems = isCluster ? [explainClusterInfo(await redis.cluster('INFO'))] : [];
    for (const node of primariesOf(redis)) problems.push(await probeNode(node, { ...options, isCluster }));
    return Object.assign({}, ...problems.toReversed()) as RedisProblems;
  } catch (error) {
    return explainRejection(error) ?? explainConnection(connectionError() ?? error);
  }
}

async function probeNode(
  node: Redis,
  { isCluster, ...options }: ProbeOptions & { isCluster: boolean },
): Promise<RedisProblems> {
  await node.ping();
  const info = await node.info().catch((error: unknown) => {
    if (isRedisUnreachable(error)) throw error;
    return '';
  });
  const problems = explainInfo(info, { isCluster });
  if (problems.redis_unsupported !== undefined) return problems;
  const rejected = await queueCommands(node, options);
  // Redis checks the rights before the slot, which may be on another node.
  const relevant = isCluster ? rejected.filter(({ error }) => !isOnOtherNode(error)) : rejected;
  return { ...problems, ...explainReplies(relevant) };
}

const isOnOtherNode = (error: unknown) => error instanceof Error && /^(MOVED|ASK) /.test(error.message);

async function queueCommands(
  redis: Redis,
  { prefix, channel, commands }: ProbeOptions,
): Promise<RejectedCommands> {
  await redis.multi({ pipeline: false });
  const keys = [`${prefix}:probe`, `{${prefix}:probe}:probe`];
  const queued = Object.values(commands).flatMap((texts) =>
    texts.flatMap((text) =>
      keys.map(async (key) => {
        const [command = '', ...args] = text.replaceAll('KEY', key).replaceAll('CHANNEL', channel).split(' ');
        const error: unknown = await redis.call(command, ...args).then(
          () => undefined,
          (reason: unknown) => reason,
        );
        return { command, error };
      }),
    ),
  );
  const discarded = redis.discard();
  const replies = await Promise.all(queued);
  await discarded;
  const rejected = replies.filter(({ error }) => error !== undefined);
  const unreachable = rejected.find(({ error }) => isRedisUnreachable(error));
  if (unreachable) throw unreachable.error;
  return rejected;
}
