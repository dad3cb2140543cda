import type { Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';
import { RateLimiterRedis } from 'rate-limiter-flexible';
import type { Breaker } from '../resilience/circuit-breaker.ts';

/** Keys that a process counts by itself at most. */
const maxOwn = 10_000;

/** How much was counted of a key in the window that is open, and when that closes. */
export interface WindowCount {
  count: number;
  endsInMs: number;
  /** Whether all processes counted; else this one did alone, since Redis is away. */
  isShared: boolean;
}

export type WindowCounts = ReturnType<typeof createWindowCounts>;

/** Counts by key in windows of time, each of which opens with the first that is counted. All processes count together in Redis;
 *  while that is away each counts by itself, in bounded memory. */
export function createWindowCounts(options: {
  redis: Redis;
  guard: Breaker['run'];
  prefix: string;
  windowSeconds: number;
}) {
  const { redis, guard, prefix, windowSeconds } = options;
  const shared = new RateLimiterRedis({
    storeClient: redis,
    keyPrefix: prefix,
    duration: windowSeconds,
    // Whoever counts judges.
    points: Number.MAX_SAFE_INTEGER,
  });
  const own = new LRUCache<string, { count: number; endsAt: number }>({ max: maxOwn });

  function addHere(key: string, amount: number): WindowCount {
    const now = performance.now();
    const known = own.get(key);
    const open = known && known.endsAt > now ? known : { count: 0, endsAt: now + windowSeconds * 1_000 };
    open.count += amount;
    own.set(key, open);
    return { count: open.count, endsInMs: open.endsAt - now, isShared: false };
  }

  return {
    /** Counts so much more of a key. */
    async add(key: string, amount: number): Promise<WindowCount> {
      try {
        const { consumedPoints, msBeforeNext } = await guard(async () => await shared.penalty(key, amount));
        return { count: consumedPoints, endsInMs: msBeforeNext, isShared: true };
      } catch {
        // The breaker logs an outage; whoever asks needs a number.
        return addHere(key, amount);
      }
    },

    /** Forgets what was counted of a key. */
    async clear(key: string): Promise<void> {
      own.delete(key);
      // What Redis is not told to forget ends with its window.
      await guard(async () => await shared.delete(key)).catch(() => undefined);
    },
  };
}
