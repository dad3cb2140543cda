import { Redis } from 'ioredis';
import type { Log } from '../../../src/log.ts';
import { openRedis } from '../../../src/storage/redis/redis.ts';
import type { RedisRole } from '../../../src/storage/redis/roles.ts';

/** Opens a connection as `openRedis` does, to a Redis that is no cluster. */
export function openSingleRedis(role: RedisRole, url: string, log: Log): Redis {
  const redis = openRedis(role, url, log);
  if (redis instanceof Redis) return redis;
  throw new TypeError('the URL names a cluster');
}
