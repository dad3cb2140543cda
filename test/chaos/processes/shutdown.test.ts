import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createApiKeys } from '../../../src/api-keys/api-keys.ts';
import { createCodes, findMiscounted, readCounted } from '../../support/clicks/counts.ts';
import { createClient } from '../../support/http/client.ts';
import { requestJob } from '../../support/jobs.ts';
import { startLoad } from '../../support/processes/load.ts';
import { startProcess, startWeb, startWorker, type TestProcess } from '../../support/processes/processes.ts';
import { storeSettings, track, uniquePrefix, useDatabase, useRedis } from '../../support/resources.ts';
import { startTestRedis, type TestRedis } from '../../support/services/servers.ts';
import { waitUntil } from '../../support/wait-until.ts';

/** Sends SIGTERM; resolves to the exit code and the time until the exit. */
async function terminate(process: TestProcess) {
  const start = performance.now();
  process.signal('SIGTERM');
  const code = await process.ended;
  return { code, ms: performance.now() - start };
}

/** The log lines of a process at level error or fatal. */
const errorsOf = (process: TestProcess) =>
  process
    .output()
    .split('\n')
    .filter((line) => /^{"level":[56]0/.test(line));

/** Flushes the clicks that wait in Redis, as a worker does. */
async function flush(settings: Record<string, string>) {
  const job = startProcess('workers/run-job.js', settings, ['flush-clicks']);
  expect(await job.ended).toBe(0);
  expect(job.output()).toContain('{');
}

describe('with both stores available', () => {
  const database = useDatabase();
  const redis = useRedis();
  const settings = () => storeSettings(database, redis);

  test('SIGTERM under load ends web and worker within 10 s and loses no request and no click', async () => {
    const [web, worker] = await Promise.all([startWeb(settings()), startWorker(settings())]);
    const codes = await createCodes(database.db(), web.baseUrl, 5);
    const load = startLoad(web.baseUrl, codes);
    await waitUntil('the load runs', () => load.answeredInAll() > 2_000);

    const [webEnd, workerEnd] = await Promise.all([terminate(web), terminate(worker)]);
    const tally = await load.ended;
    await flush(settings());

    expect(tally.failures).toEqual([]);
    expect(webEnd.code).toBe(0);
    expect(workerEnd.code).toBe(0);
    expect(Math.max(webEnd.ms, workerEnd.ms)).toBeLessThan(10_000);
    expect(findMiscounted(tally, await readCounted(database.db()))).toEqual([]);
  });

  test('a connection that never sent a byte does not keep the web process from ending', async () => {
    const web = await startWeb(settings());
    const socket = connect(Number(new URL(web.baseUrl).port), '127.0.0.1');
    socket.on('error', () => {});
    await once(socket, 'connect');
    const end = await terminate(web);
    socket.destroy();
    expect(end).toEqual({ code: 0, ms: expect.any(Number) });
    expect(end.ms).toBeLessThan(10_000);
  });

  test('a second SIGTERM over 1 s after the first ends a closing process at once with code 1', async () => {
    const web = await startWeb({ ...settings(), SHUTDOWN_DRAIN_MS: '60000' });
    const socket = connect(Number(new URL(web.baseUrl).port), '127.0.0.1');
    await once(socket, 'connect');
    let code: number | string | undefined;
    void web.ended.then((result) => (code = result));
    const start = performance.now();
    await waitUntil('the web process has ended', () => {
      if (code === undefined) web.signal('SIGTERM');
      return code !== undefined;
    });
    socket.destroy();
    expect(code).toBe(1);
    expect(performance.now() - start).toBeLessThan(3_000);
  });

  test('a running job whose worker gets SIGTERM is continued by the next worker', async () => {
    const first = await startWorker(settings(), ['--queues', 'replenish-keys']);
    const web = await startWeb(settings());
    const { key } = await createApiKeys(database.db()).create('test');
    const client = createClient(web.baseUrl, key);
    const path = await requestJob(client, 'replenish-keys', { target: 1_000_000 });
    const read = async () => (await client.get(path)).body;
    await waitUntil('the job has made progress', async () => Number((await read())['progress']) > 0);

    const end = await terminate(first);
    const left = await read();
    const second = await startWorker(settings(), ['--queues', 'replenish-keys']);
    const done = await waitUntil('the job is completed', async () => {
      const job = await read();
      return job['state'] === 'completed' && job;
    });
    await Promise.all([web.stop(), second.stop()]);

    expect(end.code).toBe(0);
    expect(end.ms).toBeLessThan(5_000);
    expect(left).toMatchObject({ state: 'waiting', error: null });
    expect(done['result']).toMatchObject({ poolSize: 1_000_000, interrupted: false });
    expect(done['result']).not.toMatchObject({ added: 1_000_000 });
  });
});

describe.concurrent.each([
  {
    fault: 'stopped by SIGSTOP',
    begin: async (server: TestRedis) => server.hang(),
    end: (server: TestRedis) => server.resume(),
  },
  { fault: 'killed', begin: (server: TestRedis) => server.kill(), end: () => {} },
])('with a Redis that is $fault', ({ begin, end }) => {
  const database = useDatabase();
  let redis: TestRedis;
  let closed: () => void;
  beforeAll(async () => {
    redis = await startTestRedis();
    closed = track('Redis server');
  });
  afterAll(async () => {
    if (!redis) return;
    end(redis);
    await redis.stop();
    closed();
  });

  test('SIGTERM ends web and worker within 25 s, and every answered click is in PostgreSQL', async () => {
    const settings = { DATABASE_URL: database.url(), REDIS_URL: redis.url, REDIS_PREFIX: uniquePrefix() };
    const [web, worker] = await Promise.all([startWeb(settings), startWorker(settings)]);
    const codes = await createCodes(database.db(), web.baseUrl, 5);

    await begin(redis);
    const load = startLoad(web.baseUrl, codes);
    await waitUntil('the load runs', () => load.answeredInAll() > 200);
    const [webEnd, workerEnd] = await Promise.all([terminate(web), terminate(worker)]);
    const tally = await load.ended;

    expect(tally.failures).toEqual([]);
    expect(webEnd.code).toBe(0);
    expect(errorsOf(web)).toEqual([]);
    expect(Math.max(webEnd.ms, workerEnd.ms)).toBeLessThan(25_000);
    expect(findMiscounted(tally, await readCounted(database.db()))).toEqual([]);
  });
});
