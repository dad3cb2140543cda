import { afterAll, beforeAll, expect, test } from 'vitest';
import { findFreePort } from '../../scripts/services/ports.ts';
import { createApiKeys } from '../../src/api-keys/api-keys.ts';
import { createQueues } from '../../src/queues/queues.ts';
import { openPrometheus } from '../support/http/prometheus.ts';
import { startWorker, type TestProcess } from '../support/processes/processes.ts';
import { silentLog, storeSettings, useDatabase, useRedis } from '../support/resources.ts';
import { waitUntil } from '../support/wait-until.ts';

const database = useDatabase();
const redis = useRedis('producer');
let worker: TestProcess;
let baseUrl: string;

beforeAll(async () => {
  const port = String(await findFreePort());
  baseUrl = `http://127.0.0.1:${port}`;
  await createApiKeys(database.db()).create('test');
  worker = await startWorker({
    ...storeSettings(database, redis),
    HOST: '127.0.0.1',
    METRICS_PUBLIC: 'true',
    WORKER_PORT: port,
  });
});
afterAll(async () => void (await worker.stop()));

const countJobs = async (queue: string, outcome: string) =>
  (await openPrometheus(baseUrl)).histogram('linkmill_job_duration_seconds', { queue, outcome }).count;

test('jobs are measured by queue and outcome, including failures', async () => {
  const queues = createQueues(redis.redis(), redis.prefix, silentLog);
  const completed = await countJobs('cleanup-transfers', 'completed');
  const failed = await countJobs('cleanup-transfers', 'failed');
  await queues.add('cleanup-transfers', {});
  // Invalid data fails without a second attempt.
  await queues.all
    .find(({ name }) => name === 'cleanup-transfers')!
    .add('cleanup-transfers', { typed: 'wrong' });
  await waitUntil(
    'one job is completed',
    async () => (await countJobs('cleanup-transfers', 'completed')) > completed,
  );
  await waitUntil(
    'one job has failed',
    async () => (await countJobs('cleanup-transfers', 'failed')) === failed + 1,
  );
  const jobs = (await openPrometheus(baseUrl)).histogram('linkmill_job_duration_seconds', {
    queue: 'cleanup-transfers',
    outcome: 'completed',
  });
  expect(jobs.sum).toBeGreaterThan(0);
});

test('a worker exports its build and its connection pools', async () => {
  const metrics = await openPrometheus(baseUrl);
  expect(metrics.value('linkmill_build_info')).toBe(1);
  const ofPool = (pool: string) => metrics.value('linkmill_postgres_pool_max_connections', { pool });
  expect(ofPool('worker')).toBe(10);
  expect(ofPool('flush_watchdog')).toBe(2);
  expect(
    metrics.histogram('linkmill_postgres_query_duration_seconds', { pool: 'worker' }).count,
  ).toBeGreaterThan(0);
});
