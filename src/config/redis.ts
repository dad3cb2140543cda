import { z } from 'zod';

const part = (description: string) => z.string().optional().describe(description);

/** Settings of Redis. The parts are joined to a URL when the settings are loaded. */
export const redis = {
  REDIS_URL: z
    .string()
    .describe(
      'Redis 6.2 or newer with `maxmemory-policy noeviction`: `redis://user:password@host:6379/0`, `rediss://` with TLS, `unix:///run/redis.sock`, or `redis+sentinel://host1:26379,host2:26379/name` for the primary that sentinels name, `redis+cluster://host1:6379,host2:6379` for a Redis Cluster; or set `REDIS_HOST` and the settings below it',
    ),
  REDIS_HOST: part('Host of Redis, or the path of its Unix socket'),
  REDIS_PORT: part('Port of Redis; default 6379'),
  REDIS_DB: part('Number of the database; default 0'),
  REDIS_USER: part('User of Redis'),
  REDIS_PASSWORD: part('Password of Redis, also for a `REDIS_URL` without one'),
  REDIS_TLS: part('With `REDIS_HOST`: whether to use TLS; default: only with `REDIS_CA`'),
  REDIS_CA: part('CA certificate of Redis, a path or PEM text'),
  REDIS_CERT: part('Client certificate for Redis, a path or PEM text'),
  REDIS_KEY: part('Key of the client certificate, a path or PEM text'),
  REDIS_CACHE_URL: z
    .string()
    .optional()
    .describe(
      'Another Redis for cached short URLs and the invalidation bus, in the form of `REDIS_URL`; it may evict. Default: `REDIS_URL`',
    ),
  REDIS_PREFIX: z
    .string()
    .regex(/^[\w.-]{1,32}$/, 'must be 1 to 32 letters, digits, "_", "." or "-"')
    .default('linkmill')
    .describe('Prefix of every Redis key and channel; services that share a Redis need different ones'),
};
