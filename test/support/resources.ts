import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, inject } from 'vitest';
import { createLog } from '../../src/log.ts';
import { type Knex, openPostgres } from '../../src/storage/postgres/postgres.ts';
import { closeRedis } from '../../src/storage/redis/redis.ts';
import type { RedisRole } from '../../src/storage/redis/roles.ts';
import { administer, databaseUrl } from './services/databases.ts';
import { openSingleRedis } from './services/single-redis.ts';

const open = new Set<string>();

/** Returns and clears the open resources of a test file, so that the next file in the process starts without any. */
export function takeOpenResources(): string[] {
  const left = [...open];
  open.clear();
  return left;
}

/** Registers a resource as open until the returned function is called. */
export function track(name: string): () => void {
  const entry = `${name} #${randomBytes(3).toString('hex')}`;
  open.add(entry);
  return () => void open.delete(entry);
}

/** A log without output: tests assert only what users can observe. */
export const silentLog = createLog('test', 'silent');

/** A unique prefix for Redis keys. */
export const uniquePrefix = () => `test-${process.pid}-${randomBytes(4).toString('hex')}`;

/** Creates a database from the template, which has all tables and no rows, or from another template; resolves to its URL. */
export async function createDatabase(
  template = inject('templateDatabase'),
): Promise<{ url: string; drop: () => Promise<void> }> {
  const serverUrl = inject('postgresUrl');
  const name = `linkmill_test_${process.pid}_${randomBytes(4).toString('hex')}`;
  await administer(serverUrl, `create database ${name} template ${template}`);
  const closed = track(`database ${name}`);
  return {
    url: databaseUrl(serverUrl, name),
    drop: async () => {
      await administer(serverUrl, `drop database ${name} with (force)`);
      closed();
    },
  };
}

/** A separate database for the file (or describe block), with a pool; `db()` and `url()` are available once the tests
 *  run. */
export function useDatabase(): { db: () => Knex; url: () => string } {
  let database: Awaited<ReturnType<typeof createDatabase>>;
  let pool: Knex;
  beforeAll(async () => {
    database = await createDatabase();
    pool = openPostgres({
      url: database.url,
      poolMax: 20,
      queryTimeoutMs: 60_000,
      connectMs: 60_000,
      name: 'test',
    });
  });
  afterAll(async () => {
    await pool.destroy();
    await database.drop();
  });
  return { db: () => pool, url: () => database.url };
}

/** The settings with which a process uses these stores. */
export const storeSettings = (
  database: { url: () => string },
  redis: { url: () => string; prefix: string },
) => ({ DATABASE_URL: database.url(), REDIS_URL: redis.url(), REDIS_PREFIX: redis.prefix });

/** A connection to the shared Redis with a unique prefix, whose keys are deleted at the end of the file. */
export function useRedis(role: RedisRole = 'jobs') {
  const prefix = uniquePrefix();
  let redis: ReturnType<typeof openSingleRedis>;
  let closed: () => void;
  beforeAll(() => {
    redis = openSingleRedis(role, inject('redisUrl'), silentLog);
    closed = track('redis');
  });
  afterAll(async () => {
    const janitor = openSingleRedis('jobs', inject('redisUrl'), silentLog);
    for (const pattern of [`${prefix}*`, `{${prefix}*`]) {
      const keys = await janitor.keys(pattern);
      if (keys.length > 0) await janitor.del(...keys);
    }
    await Promise.all([closeRedis(janitor), closeRedis(redis)]);
    closed();
  });
  return { redis: () => redis, prefix, url: () => inject('redisUrl') };
}
