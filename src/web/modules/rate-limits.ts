import { createRateLimits } from '../../http/middleware/rate-limits.ts';
import { createReadClientAddress } from '../../http/server/client-address.ts';
import { createKeyGenerator } from '../../keys/key-generator.ts';
import { createNetworkHasher } from '../../rate-limits/client-networks.ts';
import { createFixedWindowCounter } from '../../rate-limits/fixed-window.ts';
import { createRateLimiter } from '../../rate-limits/rate-limiter.ts';
import type { Knex } from '../../storage/postgres/postgres.ts';
import type { RedisClient } from '../../storage/redis/client.ts';
import type { CircuitBreakers } from '../stores/circuit-breakers.ts';
import type { WebContext } from '../stores/context.ts';

const windowSeconds = 60;
/** Reports per network and hour. */
const reportsPerAddress = 10;
const reportWindowSeconds = 3_600;
/** Sign-ins per network and minute. */
const signInsPerAddress = 10;
/** Single sign-ons per network and minute: many people can share one, and have no secret that could be guessed. */
const singleSignOnsPerAddress = 60;

/** The rate limits of API keys and client networks. */
export function openRateLimits(
  { config, log }: Pick<WebContext, 'config' | 'log'>,
  stores: { db: Knex; cacheRedis: RedisClient; breakers: CircuitBreakers },
) {
  const { db, cacheRedis, breakers } = stores;
  const createLimiter = (name: string, limit: number, seconds = windowSeconds) =>
    createRateLimiter({
      counts: createFixedWindowCounter({
        redis: cacheRedis,
        guard: breakers.redis.run,
        prefix: `${config.REDIS_PREFIX}:limit:${name}`,
        windowSeconds: seconds,
      }),
      limit,
      windowMs: seconds * 1_000,
      processes: config.WEB_CONCURRENCY,
    });
  const generator = breakers.postgres.guard(createKeyGenerator(db));
  return createRateLimits({
    limiters: {
      apiKeys: createLimiter('key', config.RATE_LIMIT_PER_KEY),
      addresses: createLimiter('address', config.RATE_LIMIT_PER_IP),
      unknownCodes: createLimiter('unknown', config.RATE_LIMIT_NOT_FOUND_PER_IP),
      reports: createLimiter('report', reportsPerAddress, reportWindowSeconds),
      signIns: createLimiter('sign-in', signInsPerAddress),
      singleSignOns: createLimiter('single-sign-on', singleSignOnsPerAddress),
    },
    hashNetwork: createNetworkHasher(() => generator.deriveSecret('networks'), log),
    readAddress: createReadClientAddress(config.TRUSTED_PROXY_HOPS),
  });
}
