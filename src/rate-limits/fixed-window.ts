import { LRUCache } from 'lru-cache';
import { RateLimiterRedis } from 'rate-limiter-flexible';
import type { Breaker } from '../resilience/circuit-breaker.ts';
import type { RedisClient } from '../storage/redis/client.ts';

/** Most keys that a process counts alone. */
const maxLocalKeys = 10_000;

/** The count of a key in its current window. */
export interface WindowCount {
  count: number;
  endsInMs: number;
  /** Whether all processes share the count; false while Redis is unavailable. */
  isShared: boolean;
}

export type FixedWindowCounter = ReturnType<typeof createFixedWindowCounter>;

/** Counts by key in fixed windows; a window starts with its first count. All processes share the counts in Redis; while it is unavailable, each
 *  process counts alone, in bounded memory. */
export function createFixedWindowCounter(options: {
  redis: RedisClient;
  guard: Breaker['run'];
  prefix: string;
  windowSeconds: number;
}) {
  const { redis, guard, prefix, windowSeconds } = options;
  const shared = new RateLimiterRedis({
    storeClient: redis,
    keyPrefix: prefix,
    duration: windowSeconds,
    // The caller compares the count with its limit.
    points: Number.MAX_SAFE_INTEGER,
  });
  const local = new LRUCache<string, { count: number; endsAt: number }>({ max: maxLocalKeys });

  function addLocally(key: string, amount: number): WindowCount {
    const now = performance.now();
    const known = local.get(key);
    const open = known && known.endsAt > now ? known : { count: 0, endsAt: now + windowSeconds * 1_000 };
    open.count += amount;
    local.set(key, open);
    return { count: open.count, endsInMs: open.endsAt - now, isShared: false };
  }

  return {
    /** Adds to the count of a key. */
    async add(key: string, amount: number): Promise<WindowCount> {
      try {
        const { consumedPoints, msBeforeNext } = await guard(async () => await shared.penalty(key, amount));
        return { count: consumedPoints, endsInMs: msBeforeNext, isShared: true };
      } catch {
        // The circuit breaker logs the outage.
        return addLocally(key, amount);
      }
    },

    /** Resets the count of a key. */
    async clear(key: string): Promise<void> {
      local.delete(key);
      // A count that cannot be deleted ends with its window.
      await guard(async () => await shared.delete(key)).catch(() => undefined);
    },
  };
}
