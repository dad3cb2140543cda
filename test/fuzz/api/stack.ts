import { rm } from 'node:fs/promises';
import path from 'node:path';
import { createApiKeys } from '../../../src/api-keys/api-keys.ts';
import { createSessionStore } from '../../../src/sessions/session-store.ts';
import { openPostgres } from '../../../src/storage/postgres/postgres.ts';
import { buildInto } from '../../support/processes/build.ts';
import { commandOf, launch, placeWeb, readyWeb, readyWorker } from '../../support/processes/launch.ts';
import { createTemplate, databaseUrl } from '../../support/services/databases.ts';
import { startTestPostgres, startTestRedis } from '../../support/services/servers.ts';
import { operatorToken } from './callers.ts';

/** Settings of the web process under test. */
export const fuzzSettings = {
  // Load shedding would depend on the machine.
  MAX_EVENT_LOOP_DELAY_MS: '0',
  METRICS_TOKEN: operatorToken,
};

/** Starts a web process and a worker of this checkout, with their own PostgreSQL and Redis. */
export async function openStack(onEnd: (what: string) => void) {
  const closers: (() => Promise<unknown>)[] = [];
  let isClosing = false;
  const close = async () => {
    isClosing = true;
    for (const closer of closers.splice(0).toReversed()) await closer();
  };
  const start = (entry: string, settings: Record<string, string>) => {
    const started = launch(commandOf(buildFolder, entry), settings, () => isClosing || onEnd(entry));
    closers.push(started.stop);
    return started;
  };
  const buildFolder = path.resolve(`.cache/fuzz-build-${process.pid}`);
  try {
    closers.push(async () => await rm(buildFolder, { recursive: true, force: true }));
    await buildInto(buildFolder);
    const postgres = await startTestPostgres();
    closers.push(postgres.stop);
    const redis = await startTestRedis();
    closers.push(redis.stop);
    await createTemplate(postgres.url, 'fuzz');
    const DATABASE_URL = databaseUrl(postgres.url, 'fuzz');
    const db = openPostgres({
      url: DATABASE_URL,
      poolMax: 2,
      queryTimeoutMs: 60_000,
      connectMs: 60_000,
      name: 'test',
    });
    closers.push(async () => await db.destroy());
    const settings = { DATABASE_URL, REDIS_URL: redis.url, LOG_LEVEL: 'info' };
    const worker = await readyWorker(start('workers/main.js', settings));
    const placed = await placeWeb({ ...settings, ...fuzzSettings });
    const web = start('src/web.js', placed);
    const { baseUrl } = await readyWeb(web, placed);
    return {
      baseUrl,
      apiKeys: createApiKeys(db),
      sessions: createSessionStore(db),
      output: () => web.output() + worker.output(),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
