import type { Redis } from 'ioredis';

export type KeyPool = ReturnType<typeof createKeyPool>;

/** The keys ready to take, a Redis list. Redis is a hint: an emptied one costs a refill, a rolled-back one may offer a
 *  key twice, and PostgreSQL's unique index refuses the second use. */
export function createKeyPool(redis: Redis, prefix: string) {
  const poolKey = `${prefix}:keys:pool`;

  return {
    /** Removes up to `count` keys from the pool; `left` is how many it still has. */
    async take(count: number): Promise<{ keys: string[]; left: number }> {
      const [popped, length] = (await redis.multi().lpop(poolKey, count).llen(poolKey).exec()) ?? [];
      const error = popped?.[0] ?? length?.[0];
      if (error) throw error;
      return { keys: (popped?.[1] as string[] | null) ?? [], left: (length?.[1] as number | undefined) ?? 0 };
    },

    /** Puts keys into the pool; resolves to its new size. */
    async add(keys: string[]): Promise<number> {
      return await redis.rpush(poolKey, ...keys);
    },

    async size(): Promise<number> {
      return await redis.llen(poolKey);
    },
  };
}
