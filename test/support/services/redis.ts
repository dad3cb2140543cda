import { afterAll, beforeAll } from 'vitest';
import { startWeb, startWorker, type TestProcess } from '../processes/processes.ts';
import { track, uniquePrefix, useDatabase } from '../resources.ts';
import { startTestRedis, type TestRedis } from './servers.ts';

/** A web and a worker process with their own database and Redis server, for a test file. */
export function useOwnRedisService(
  settings: Record<string, string>,
  redisOptions?: Parameters<typeof startTestRedis>[0],
) {
  const database = useDatabase();
  let redis: TestRedis;
  let closed: () => void;
  let web: TestProcess & { baseUrl: string };
  let worker: TestProcess;

  beforeAll(async () => {
    redis = await startTestRedis(redisOptions);
    closed = track('Redis server');
    const all = {
      DATABASE_URL: database.url(),
      REDIS_URL: redis.url,
      REDIS_PREFIX: uniquePrefix(),
      ...settings,
    };
    [web, worker] = await Promise.all([startWeb(all), startWorker(all)]);
  });
  afterAll(async () => {
    await Promise.all([web.stop(), worker.stop()]);
    await redis.stop();
    closed();
  });

  return { database, redis: () => redis, web: () => web, worker: () => worker };
}
