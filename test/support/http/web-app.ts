import { afterAll, beforeAll } from 'vitest';
import { createApiKeys } from '../../../src/api-keys/api-keys.ts';
import { startWeb, type TestProcess } from '../processes/processes.ts';
import { useDatabase, useRedis } from '../resources.ts';
import { type Client, createClient } from './client.ts';

/** A web process on a database and a Redis prefix of its own, with an API key; no worker. For a whole test file. */
export function useWeb(settings: Record<string, string> = {}) {
  const database = useDatabase();
  const redis = useRedis();
  let web: TestProcess & { baseUrl: string };
  let key: string;
  beforeAll(async () => {
    ({ key } = await createApiKeys(database.db()).create('test'));
    web = await startWeb({
      DATABASE_URL: database.url(),
      REDIS_URL: redis.url(),
      REDIS_PREFIX: redis.prefix,
      LOG_LEVEL: 'info',
      // A machine that is busy with tests is no reason to refuse what they ask.
      MAX_EVENT_LOOP_DELAY_MS: '0',
      // Nor to send clicks past a Redis that has to wait for a processor.
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
    /** With the API key, or with another one, or without any. */
    client: (apiKey: string | null = key): Client => createClient(web.baseUrl, apiKey ?? undefined),
  };
}
