import { afterAll, beforeAll, inject } from 'vitest';
import { findFreePort } from '../../../scripts/services/ports.ts';
import { createApiKeys } from '../../../src/api-keys/api-keys.ts';
import { createClient } from '../http/client.ts';
import { uniquePrefix, useDatabase } from '../resources.ts';
import { createUrl } from '../urls/urls.ts';
import { sendRedirects } from './load.ts';
import { startWeb, startWorker } from './processes.ts';

/** Two web processes and a worker with public metrics, which have served redirects and an unknown path, for a test file.
 *  Returns their base URLs. */
export function useMeasuredService(): () => Record<'web' | 'worker', string> {
  const database = useDatabase();
  let urls: Record<'web' | 'worker', string>;
  let stop: () => Promise<unknown>;

  beforeAll(async () => {
    const port = String(await findFreePort());
    const settings = {
      DATABASE_URL: database.url(),
      REDIS_URL: inject('redisUrl'),
      REDIS_PREFIX: uniquePrefix(),
      METRICS_PUBLIC: 'true',
      HOST: '127.0.0.1',
    };
    const [web, worker] = await Promise.all([
      startWeb({ ...settings, WEB_CONCURRENCY: '2' }),
      startWorker({ ...settings, WORKER_PORT: port }),
    ]);
    stop = async () => await Promise.all([web.stop(), worker.stop()]);
    urls = { web: web.baseUrl, worker: `http://127.0.0.1:${port}` };
    const { key } = await createApiKeys(database.db()).create('test');
    const code = await createUrl(createClient(web.baseUrl, key));
    await createClient(web.baseUrl).get('/unknown');
    // The redirect histogram samples one request in 64.
    const codes = Array.from({ length: 400 }, () => code);
    await sendRedirects(web.baseUrl, codes);
  });
  afterAll(async () => await stop());

  return () => urls;
}
