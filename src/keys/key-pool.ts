import type { RedisClient } from '../storage/redis/client.ts';

export type KeyPool = ReturnType<typeof createKeyPool>;

/** The generated keys that are ready to use, in a Redis list. The pool may be lost (it is replenished) or rolled back
 *  (it may offer a key twice): PostgreSQL's unique index rejects the second use. */
export function createKeyPool(redis: RedisClient, prefix: string) {
  const poolKey = `${prefix}:keys:pool`;

  return {
    /** Removes up to `count` keys; `left` is the number of keys that remain in the pool. */
    async take(count: number): Promise<{ keys: string[]; left: number }> {
      const [popped, length] = (await redis.multi().lpop(poolKey, count).llen(poolKey).exec()) ?? [];
      const error = popped?.[0] ?? length?.[0];
      if (error) throw error;
      return { keys: (popped?.[1] as string[] | null) ?? [], left: (length?.[1] as number | undefined) ?? 0 };
    },

    /** Adds keys; resolves to the new size of the pool. */
    async add(keys: string[]): Promise<number> {
      return await redis.rpush(poolKey, ...keys);
    },

    async size(): Promise<number> {
      return await redis.llen(poolKey);
    },
  };
}
