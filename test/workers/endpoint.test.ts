import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { findFreePort } from '../../scripts/services/ports.ts';
import { createClient } from '../support/http/client.ts';
import { runProcess, startWorker, type TestProcess } from '../support/processes/processes.ts';
import { uniquePrefix, useDatabase } from '../support/resources.ts';

const database = useDatabase();
const token = 'token-of-the-tests';
const settings = () => ({
  DATABASE_URL: database.url(),
  REDIS_URL: inject('redisUrl'),
  REDIS_PREFIX: uniquePrefix(),
  HOST: '127.0.0.1',
  METRICS_TOKEN: token,
});
let worker: TestProcess;
let baseUrl: string;

beforeAll(async () => {
  const port = String(await findFreePort());
  baseUrl = `http://127.0.0.1:${port}`;
  worker = await startWorker({ ...settings(), WORKER_PORT: port }, ['--queues', 'warm-cache,flush-clicks']);
});
afterAll(async () => void (await worker.stop()));

test('a worker with WORKER_PORT serves health, liveness and readiness', async () => {
  const client = createClient(baseUrl);
  const { status, headers, body } = await client.get('/health');
  expect(status).toBe(200);
  expect(headers.get('cache-control')).toBe('no-store');
  expect(body).toMatchObject({
    status: 'healthy',
    conditions: [],
    queues: ['warm-cache', 'flush-clicks'],
    active_jobs: expect.any(Number),
    checks: { postgres: { status: 'up' }, redis: { status: 'up' } },
  });
  expect((await client.get('/health/live')).status).toBe(200);
  expect((await client.get('/health/ready')).status).toBe(200);
  expect((await client.get('/anything-else')).status).toBe(404);
});

test('the metrics of a worker require the token', async () => {
  expect((await createClient(baseUrl).get('/metrics')).status).toBe(401);
  const answer = await fetch(`${baseUrl}/metrics`, { headers: { authorization: `Bearer ${token}` } });
  const text = await answer.text();
  expect(text).toMatch(/^linkmill_worker_active_jobs\{queue="warm-cache"\} \d/m);
  expect(text).toMatch(/^process_resident_memory_bytes \d/m);
});

test('a worker whose WORKER_PORT is in use exits with 1 and the cause', async () => {
  const taken = new URL(baseUrl).port;
  const { code, stdout } = await runProcess('workers/main.js', { ...settings(), WORKER_PORT: taken });
  expect(code).toBe(1);
  expect(stdout).toContain('EADDRINUSE');
});
