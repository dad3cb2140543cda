import type { Redis } from 'ioredis';
import { isRedisUnreachable } from './errors.ts';
import {
  explainConnection,
  explainInfo,
  explainRejection,
  explainReplies,
  type RedisProblems,
  type RejectedCommands,
} from './probe-problems.ts';
import { requiredCommands } from './required-commands.ts';

/** Checks whether Linkmill works with this Redis, and which rights its user lacks. Changes nothing: Redis checks the rights when commands
 *  are queued in a transaction, which is then discarded. `redis` is a connection of the role "probe", `connectionError` its last error.
 *  Never rejects. */
export async function probeRedis(
  redis: Redis,
  options: { prefix: string; channel: string; connectionError: () => unknown },
): Promise<RedisProblems> {
  const { prefix, channel, connectionError } = options;
  try {
    if (redis.status !== 'ready') return explainConnection(connectionError());
    await redis.ping();
    const info = await redis.info().catch((error: unknown) => {
      if (isRedisUnreachable(error)) throw error;
      return '';
    });
    return { ...explainInfo(info), ...explainReplies(await queueCommands(redis, prefix, channel)) };
  } catch (error) {
    return explainRejection(error) ?? explainConnection(connectionError() ?? error);
  }
}

async function queueCommands(redis: Redis, prefix: string, channel: string): Promise<RejectedCommands> {
  await redis.multi({ pipeline: false });
  const keys = [`${prefix}:probe`, `{${prefix}:probe}:probe`];
  const queued = Object.values(requiredCommands).flatMap((texts) =>
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
