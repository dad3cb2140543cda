import { afterAll, beforeAll } from 'vitest';
import { useWeb } from '../http/web-app.ts';
import { startWorker, type TestProcess } from './processes.ts';

/** A web and a worker process with their own database and Redis prefix, for a test file. */
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
