import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createApiKeys } from '../../../src/api-keys/api-keys.ts';
import { type Knex, openPostgres } from '../../../src/storage/postgres/postgres.ts';
import { createCodes, findMiscounted, readCounted } from '../../support/clicks/counts.ts';
import { createClient } from '../../support/http/client.ts';
import { startLoad } from '../../support/processes/load.ts';
import { startWeb, startWorker, type TestProcess } from '../../support/processes/processes.ts';
import { track, uniquePrefix } from '../../support/resources.ts';
import { createTemplate, databaseUrl } from '../../support/services/databases.ts';
import { startTestPostgres, startTestRedis } from '../../support/services/servers.ts';
import { createUrl } from '../../support/urls/urls.ts';
import { waitUntil } from '../../support/wait-until.ts';

type Servers = Awaited<ReturnType<typeof startServers>>;

async function startServers() {
  const [postgres, redis] = await Promise.all([startTestPostgres(), startTestRedis({ appendonly: true })]);
  const closed = track('PostgreSQL and Redis server');
  await createTemplate(postgres.url, 'hanging');
  const url = databaseUrl(postgres.url, 'hanging');
  const db = openPostgres({ url, poolMax: 4, queryTimeoutMs: 60_000, name: 'test' });
  return {
    postgres,
    redis,
    db,
    settings: { DATABASE_URL: url, REDIS_URL: redis.url, REDIS_PREFIX: uniquePrefix() },
    close: async () => {
      postgres.resume();
      redis.resume();
      await db.destroy();
      await Promise.all([postgres.stop(), redis.stop()]);
      closed();
    },
  };
}

/** Sends SIGTERM; resolves to the exit code and the time until the exit. */
async function terminate(process: TestProcess) {
  const start = performance.now();
  process.signal('SIGTERM');
  return { code: await process.ended, ms: performance.now() - start };
}

/** Resolves once every answered click is counted. */
const settle = async (db: Knex, load: ReturnType<typeof startLoad>) =>
  await waitUntil(
    'every answered click is counted',
    async () => findMiscounted(load.tally, await readCounted(db)).length === 0,
    15_000,
  );

describe.concurrent('with a store stopped by SIGSTOP', () => {
  const servers: Servers[] = [];
  beforeAll(async () => {
    servers.push(...(await Promise.all([startServers(), startServers(), startServers()])));
  });
  afterAll(async () => {
    await Promise.all(servers.map((one) => one.close()));
  });

  test('analytics, click streams and searches get 503 within 3 s while PostgreSQL hangs', async () => {
    const { postgres, db, settings } = servers[2]!;
    const web = await startWeb(settings);
    const { key } = await createApiKeys(db).create('hanging');
    const client = createClient(web.baseUrl, key);
    await createUrl(client, { custom_code: 'hanging' });
    const send = async (method: 'GET' | 'DELETE', path: string) =>
      await (method === 'GET' ? client.get(path) : client.delete(path));
    const requests = [
      ['GET', '/api/v1/urls/hanging/analytics'],
      ['GET', '/api/v1/analytics/top-urls'],
      ['GET', '/api/v1/clicks/stream'],
      ['GET', '/api/v1/urls'],
      ['DELETE', '/api/v1/urls/hanging/clicks'],
    ] as const;
    // Opens the connections first: the process must detect the hang on open connections.
    for (const [method, path] of requests.filter(([, path]) => path !== '/api/v1/clicks/stream'))
      expect((await send(method, path)).status).toBeLessThan(300);
    postgres.hang();
    const answers = await Promise.all(
      requests.map(async ([method, path]) => {
        const start = performance.now();
        const { status } = await send(method, path);
        return { path, status, isInTime: performance.now() - start < 3_000 };
      }),
    );
    postgres.resume();
    expect(answers).toEqual(requests.map(([, path]) => ({ path, status: 503, isInTime: true })));
    expect(await web.stop()).toBe(0);
  });

  test('a web process ends within 10 s of SIGTERM and loses no click while PostgreSQL hangs', async () => {
    const { postgres, db, settings } = servers[0]!;
    const web = await startWeb(settings);
    const codes = await createCodes(db, web.baseUrl, 5);
    const load = startLoad(web.baseUrl, codes);
    await waitUntil('the load runs', () => load.answeredInAll() > 500);
    postgres.hang();
    const before = load.answeredInAll();
    await waitUntil('the load continues', () => load.answeredInAll() > before + 500);
    const end = await terminate(web);
    await load.ended;
    postgres.resume();
    const worker = await startWorker(settings);
    await settle(db, load);
    await worker.stop();
    expect(end.ms).toBeLessThan(10_000);
  });

  test('web and worker end within 25 s of SIGTERM while both stores hang', async () => {
    const { postgres, redis, db, settings } = servers[1]!;
    const [web, worker] = await Promise.all([startWeb(settings), startWorker(settings)]);
    const codes = await createCodes(db, web.baseUrl, 5);
    const load = startLoad(web.baseUrl, codes);
    await waitUntil('the load runs', () => load.answeredInAll() > 500);
    await load.stop();
    postgres.hang();
    redis.hang();
    const ends = await Promise.all([terminate(web), terminate(worker)]);
    postgres.resume();
    redis.resume();
    expect(Math.max(...ends.map((end) => end.ms))).toBeLessThan(25_000);
  });
});
