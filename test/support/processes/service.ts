import { afterAll, beforeAll } from 'vitest';
import { useWeb } from '../http/web-app.ts';
import { startWorker, type TestProcess } from './processes.ts';

/** A web process and a worker process on a database and a Redis prefix of their own. For a whole test file. */
export function useService(settings: Record<string, string> = {}) {
  const web = useWeb(settings);
  let worker: TestProcess;
  beforeAll(async () => {
    worker = await startWorker({
      DATABASE_URL: web.database.url(),
      REDIS_URL: web.redis.url(),
      REDIS_PREFIX: web.redis.prefix,
      ...settings,
    });
  });
  afterAll(async () => {
    await worker.stop();
  });
  return { ...web, workerOutput: () => worker.output() };
}
