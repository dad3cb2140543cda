import { Worker } from 'bullmq';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createQueues, queuePrefix } from '../../src/queues/queues.ts';
import { closeRedis, openRedis } from '../../src/storage/redis/redis.ts';
import { silentLog, useRedis } from '../support/resources.ts';
import { waitUntil } from '../support/wait-until.ts';

const redis = useRedis('producer');
let begun = 0;
let letGo: () => void;
let worker: Worker;
let connection: ReturnType<typeof openRedis>;

beforeAll(() => {
  connection = openRedis('worker', redis.url(), silentLog);
  worker = new Worker(
    'reconcile-cache',
    async () => {
      begun += 1;
      await new Promise<void>((resolve) => {
        letGo = resolve;
      });
    },
    {
      connection,
      prefix: queuePrefix(redis.prefix, 'reconcile-cache'),
      autorun: false,
    },
  );
});

afterAll(async () => {
  await worker.close();
  await closeRedis(connection);
});

test('repeated requests run a job once, and once more if requested while it runs', async () => {
  await waitUntil('Redis is connected', () => redis.redis().status === 'ready');
  const queues = createQueues(redis.redis(), redis.prefix, silentLog);
  const add = async () => await queues.add('reconcile-cache', {}, 'requested');
  expect(new Set([await add(), await add(), await add()]).size).toBe(1);
  void worker.run();
  await waitUntil('the job runs', () => begun === 1);
  await add();
  await add();
  letGo();
  await waitUntil('the job runs a second time', () => begun === 2);
  letGo();
  const queue = queues.all.find(({ name }) => name === 'reconcile-cache')!;
  await waitUntil('both runs are completed', async () => (await queue.getCompletedCount()) === 2);
  expect(await queue.getJobCountByTypes('waiting', 'active', 'delayed')).toBe(0);
  // The next request starts a new job.
  await add();
  await waitUntil('the job runs a third time', () => begun === 3);
  letGo();
  await waitUntil('the third run is completed', async () => (await queue.getCompletedCount()) === 3);
});
