import type { Redis } from 'ioredis';

/** How far the cache is known to be in step with the table. */
export interface Watermark {
  /** Changes by transactions before this one are in the cache; unknown at first. */
  transaction?: string;
  /** The horizon of a later look, which becomes the next `transaction`, and when that was on PostgreSQL's clock. */
  next: string;
  nextAtMs: number;
}

/** Changes are looked at again until this long after they could be seen first: until then a slow reader may put what it had
 *  read before into the cache, where nothing was. */
const lookAgainMs = 30_000;

/** The watermark after a look at all changes since `old`, or at the whole cache, that began at this horizon. */
export function raiseWatermark(
  old: Watermark | undefined,
  horizon: { transaction: string; atMs: number },
): Watermark {
  const next = { next: horizon.transaction, nextAtMs: horizon.atMs };
  if (!old) return next;
  const isSoon = Math.abs(horizon.atMs - old.nextAtMs) < lookAgainMs;
  return isSoon ? old : { transaction: old.next, ...next };
}

export type CacheWatermark = ReturnType<typeof createCacheWatermark>;

/** The watermark, kept beside the cache that it speaks of: where that is lost or rolled back, it is too. It lives as long as
 *  anything in the cache may. */
export function createCacheWatermark(redis: Redis, options: { prefix: string; ttlSeconds: number }) {
  const key = `${options.prefix}:urls:watermark`;
  return {
    /** The watermark; undefined when there is none. */
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
