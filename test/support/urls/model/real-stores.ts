import { beforeAll } from 'vitest';
import { createApiKeys } from '../../../src/api-keys/api-keys.ts';
import { uniquePrefix, useDatabase, useRedis } from '../resources.ts';
import { createRealUrlStores, type UrlStores } from './stores.ts';

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
