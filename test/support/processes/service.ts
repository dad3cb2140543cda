import { afterAll, beforeAll } from 'vitest';
import { useWeb } from '../http/web-app.ts';
import { storeSettings } from '../resources.ts';
import { startWorker, type TestProcess } from './processes.ts';

/** A web and a worker process with their own database and Redis prefix, for a test file. */
export function useService(settings: Record<string, string> = {}) {
  const web = useWeb(settings);
  let worker: TestProcess;
  beforeAll(async () => {
    worker = await startWorker({
      ...storeSettings(web.database, web.redis),
      ...settings,
    });
  });
  afterAll(async () => {
    await worker.stop();
  });
  return { ...web, workerOutput: () => worker.output() };
}
