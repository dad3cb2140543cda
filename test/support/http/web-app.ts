import { afterAll, beforeAll } from 'vitest';
import { createApiKeys } from '../../../src/api-keys/api-keys.ts';
import { startWeb, type TestProcess } from '../processes/processes.ts';
import { storeSettings, useDatabase, useRedis } from '../resources.ts';
import { type Client, createClient } from './client.ts';

/** A web process with its own database, Redis prefix and API key, without a worker, for a test file. */
export function useWeb(settings: Record<string, string> = {}) {
  const database = useDatabase();
  const redis = useRedis();
  let web: TestProcess & { baseUrl: string };
  let key: string;
  beforeAll(async () => {
    ({ key } = await createApiKeys(database.db()).create('test'));
    web = await startWeb({
      ...storeSettings(database, redis),
      LOG_LEVEL: 'info',
      // A Redis that waits for a processor must not open the click breaker.
      CLICK_ACK_MS: '10000',
      ...settings,
    });
  });
  afterAll(async () => {
    await web.stop();
  });
  return {
    database,
    redis,
    baseUrl: () => web.baseUrl,
    apiKey: () => key,
    output: () => web.output(),
    signal: (signal: NodeJS.Signals) => web.signal(signal),
    stop: async () => await web.stop(),
    /** A client with the API key of the file by default, another key, or none. */
    client: (apiKey: string | null = key): Client => createClient(web.baseUrl, apiKey ?? undefined),
  };
}
