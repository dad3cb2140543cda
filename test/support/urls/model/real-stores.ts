import type { Redis } from 'ioredis';
import { beforeAll } from 'vitest';
import { createApiKeys } from '../../../../src/api-keys/api-keys.ts';
import type { Knex } from '../../../../src/storage/postgres/postgres.ts';
import { decodeChanges } from '../../../../src/urls/changes/change.ts';
import { channelOf } from '../../../../src/urls/changes/redis-bus.ts';
import { createUrlCleanupStore } from '../../../../src/urls/store/cleanup-store.ts';
import { createUrlStore } from '../../../../src/urls/store/url-store.ts';
import { uniquePrefix, useDatabase, useRedis } from '../../resources.ts';
import type { UrlStores } from './stores.ts';

/** Redis and PostgreSQL for the file (or describe block); each call empties the table and uses a new prefix. */
export function useRealUrlStores(codes: readonly string[]): () => Promise<UrlStores> {
  const { db } = useDatabase();
  const { redis, prefix } = useRedis();
  const subscriber = useRedis('subscriber');
  let ownerId: number;
  beforeAll(async () => {
    ({ id: ownerId } = await createApiKeys(db()).create('test'));
  });
  return async () => {
    await db()('urls').delete();
    return createRealUrlStores({
      db: db(),
      redis: redis(),
      subscriber: subscriber.redis(),
      prefix: `${prefix}-${uniquePrefix()}`,
      ownerId,
      codes,
    });
  };
}

/** The real stores. `subscriber` is a separate connection, `codes` are the short codes in use. */
function createRealUrlStores(deps: {
  db: Knex;
  redis: Redis;
  subscriber: Redis;
  prefix: string;
  ownerId: number;
  codes: readonly string[];
}): UrlStores {
  const { db, redis, subscriber, prefix, ownerId, codes } = deps;
  const channel = channelOf(prefix);
  const keys = codes.map((code) => `${prefix}:url:${code}`);
  const copyOf = (key: string) => `${prefix}:copy:${key}`;
  const { disableExpired } = createUrlCleanupStore(db);

  return {
    prefix,
    ownerId,
    redis,
    table: {
      ...createUrlStore(db),
      disableExpired,
      purgeDeleted: async () => {
        await db.raw('delete from urls where deleted_at is not null');
      },
    },
    subscribe: async (listener) => {
      let onEnd: () => void;
      const end = '0:the-end';
      const onMessage = (from: string, message: string) => {
        if (from !== channel) return;
        if (message === end) onEnd();
        else for (const { version, shortCode } of decodeChanges(message)) listener(version, shortCode);
      };
      subscriber.on('message', onMessage);
      await subscriber.subscribe(channel);
      return async () => {
        const isEndReceived = new Promise<void>((resolve) => {
          onEnd = resolve;
        });
        await redis.publish(channel, end);
        await isEndReceived;
        await subscriber.unsubscribe(channel);
        subscriber.off('message', onMessage);
      };
    },
    faults: {
      'loses everything': async () => void (await redis.del(keys)),
      'is copied': async () => {
        await redis.del(keys.map(copyOf));
        for (const key of keys) await redis.copy(key, copyOf(key));
      },
      'is rolled back to the copy': async () => {
        await redis.del(keys);
        for (const key of keys) await redis.copy(copyOf(key), key);
      },
    },
  };
}
