import type { RedisClient } from '../../storage/redis/client.ts';

/** Up to which transaction the cache is known to match the database. */
export interface Watermark {
  /** The cache has all changes of earlier transactions; undefined at first. */
  transaction?: string;
  /** The horizon of a later check, which becomes the next `transaction`, and its time on PostgreSQL's clock. */
  next: string;
  nextAtMs: number;
}

/** Changes are checked again for this long, because a slow reader may cache an outdated row until then. */
const recheckMs = 30_000;

/** Returns the watermark after a check of all changes since `old`, or of the whole cache, that began at this horizon. */
export function raiseWatermark(
  old: Watermark | undefined,
  horizon: { transaction: string; atMs: number },
): Watermark {
  const next = { next: horizon.transaction, nextAtMs: horizon.atMs };
  if (!old) return next;
  const isSoon = Math.abs(horizon.atMs - old.nextAtMs) < recheckMs;
  return isSoon ? old : { transaction: old.next, ...next };
}

export type CacheWatermark = ReturnType<typeof createCacheWatermark>;

/** Stores the watermark next to the cache, so that both are lost or rolled back together. Its TTL exceeds that of any
 *  cache entry. */
export function createCacheWatermark(redis: RedisClient, options: { prefix: string; ttlSeconds: number }) {
  const key = `${options.prefix}:urls:watermark`;
  return {
    /** Returns the watermark, if any. */
    async read(): Promise<Watermark | undefined> {
      const { transaction, next, nextAtMs } = await redis.hgetall(key);
      if (next === undefined || nextAtMs === undefined) return undefined;
      const mark = { next, nextAtMs: Number(nextAtMs) };
      return transaction === undefined ? mark : { transaction, ...mark };
    },

    async write(mark: Watermark): Promise<void> {
      await redis
        .multi()
        .del(key)
        .hset(key, mark)
        .expire(key, 2 * options.ttlSeconds)
        .exec();
    },
  };
}
