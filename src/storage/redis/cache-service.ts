import type { Log } from '../../log.ts';
import type { ClosingStack } from '../../resilience/shutdown.ts';
import type { RedisClient } from './client.ts';
import { closeRedis, openRedis } from './redis.ts';
import type { RedisRole } from './roles.ts';

/** Opens a connection to the Redis of the cache; without `REDIS_CACHE_URL` it is `redis`, the connection of this role to everything. */
export const openCacheRedis = (
  role: RedisRole,
  { REDIS_CACHE_URL }: { REDIS_CACHE_URL?: string | undefined },
  { redis, closing, log }: { redis: RedisClient; closing: ClosingStack; log: Log },
): RedisClient =>
  REDIS_CACHE_URL === undefined
    ? redis
    : closing.defer('redis of the cache', openRedis(role, REDIS_CACHE_URL, log), closeRedis);
