import { setTimeout as delay } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { v7 as uuidv7 } from 'uuid';
import { describe, expect, test, type TestContext } from 'vitest';
import { createClickStream } from '../../../src/clicks/stream/stream.ts';
import { createKeyPool } from '../../../src/keys/key-pool.ts';
import type { JobName } from '../../../src/queues/jobs.ts';
import { createQueues, queuePrefix } from '../../../src/queues/queues.ts';
import { closeRedis, openRedis } from '../../../src/storage/redis/redis.ts';
import { startWorker, type TestProcess } from '../../support/processes/processes.ts';
import { startProxy } from '../../support/proxy/proxy.ts';
import { silentLog, track, uniquePrefix, useDatabase } from '../../support/resources.ts';
import { startTestRedis, type TestRedis } from '../../support/services/servers.ts';
import { insertUrls } from '../../support/urls/urls.ts';
import { waitUntil } from '../../support/wait-until.ts';

/** The deadline to consume again after an outage, and to take over the job of a killed worker. */
const promiseMs = 10_000;

const database = useDatabase();

/** Starts a Redis server for one test; resolves to its queues and the settings of processes that use them. */
async function openQueues({ onTestFinished }: TestContext) {
  const server = await startTestRedis();
  const redisClosed = track('Redis server');
  const prefix = uniquePrefix();
  const redis = openRedis('producer', server.url, silentLog);
  await waitUntil('Redis is connected', () => redis.status === 'ready');
  onTestFinished(async () => {
    await closeRedis(redis);
    await server.stop();
    redisClosed();
  });
  const open = (name: JobName) => new Queue(name, { connection: redis, prefix: queuePrefix(prefix, name) });
  return {
    server,
    redis,
    prefix,
    queues: createQueues(redis, prefix, silentLog),
    open,
    settings: { DATABASE_URL: database.url(), REDIS_URL: server.url, REDIS_PREFIX: prefix },
  };
}

/** A worker process that the test may end early. */
async function useWorker({ onTestFinished }: TestContext, ...args: Parameters<typeof startWorker>) {
  const worker: TestProcess = await startWorker(...args);
  onTestFinished(async () => void (await worker.stop()));
  return worker;
}

/** Resolves once a scheduled job and a new job of an idle queue are completed; rejects after `ms`. */
async function waitUntilConsuming(
  { queues, open, redis }: Awaited<ReturnType<typeof openQueues>>,
  ms: number,
) {
  const end = performance.now() + ms;
  const remainingMs = () => Math.max(0, end - performance.now());
  await waitUntil('Redis is connected', () => redis.status === 'ready', remainingMs());
  const flushes = open('flush-clicks');
  const before = await flushes.getCompletedCount();
  const id = await waitUntil(
    'a job is added',
    async () => await queues.add('cleanup-expired', {}),
    remainingMs(),
  );
  const isDone = async () => (await queues.find('cleanup-expired', id))?.state === 'completed';
  await waitUntil('the added job is done', isDone, remainingMs());
  const hasFlushed = async () => (await flushes.getCompletedCount()) > before;
  await waitUntil('flush-clicks fires', hasFlushed, remainingMs());
}

const queueArgs = ['--queues', 'flush-clicks,cleanup-expired'];

describe.concurrent('a worker process', () => {
  describe.each([
    { seconds: 1, fault: 'killed' },
    { seconds: 5, fault: 'killed' },
    { seconds: 5, fault: 'stopped by SIGSTOP' },
    { seconds: 20, fault: 'stopped by SIGSTOP' },
  ] as const)('whose Redis is $fault for $seconds s', ({ seconds, fault }) => {
    test('consumes its queues within 10 s after the outage', async (context) => {
      const queues = await openQueues(context);
      await useWorker(context, queues.settings, queueArgs);
      await waitUntilConsuming(queues, 20_000);
      await injectFault(queues.server, fault);
      await delay(seconds * 1_000);
      await endFault(queues.server, fault);
      await waitUntilConsuming(queues, promiseMs);
    });
  });

  test('recovers from half-open connections within 20 s', async (context) => {
    const queues = await openQueues(context);
    const proxy = await startProxy(queues.server.port);
    context.onTestFinished(proxy.close);
    await useWorker(context, { ...queues.settings, REDIS_URL: `redis://127.0.0.1:${proxy.port}` }, queueArgs);
    await waitUntilConsuming(queues, promiseMs);
    proxy.goHalfOpen();
    await waitUntilConsuming(queues, 20_000);
  });

  test(
    'whose BullMQ workers stay stuck after a replacement exits with code 1',
    { timeout: 60_000 },
    async (context) => {
      const { server, queues, settings } = await openQueues(context);
      const proxy = await startProxy(server.port);
      context.onTestFinished(proxy.close);
      const worker = await useWorker(
        context,
        { ...settings, REDIS_URL: `redis://127.0.0.1:${proxy.port}`, SHUTDOWN_DEADLINE_MS: '4000' },
        queueArgs,
      );
      proxy.mute('linkmill-worker');
      await queues.add('cleanup-expired', {});
      expect(await worker.ended).toBe(1);
      expect(worker.output()).toContain('is stuck after replacements, ending the process');
    },
  );

  test(
    'killed during a long job leaves it to another worker within 10 s',
    { timeout: 60_000 },
    async (context) => {
      const { queues, redis, prefix, settings } = await openQueues(context);
      const args = ['--queues', 'replenish-keys'];
      const first = await startWorker(settings, args);
      const id = await queues.add('replenish-keys', { target: 1_000_000 });
      const readProgress = async () => Number((await queues.find('replenish-keys', id))?.job.progress);
      await waitUntil('the job has made progress', async () => (await readProgress()) > 0);
      await useWorker(context, settings, args);

      const pool = createKeyPool(redis, prefix);
      first.signal('SIGKILL');
      await first.ended;
      const size = await pool.size();
      expect(size).toBeLessThan(1_000_000);
      await waitUntil('the key pool continues to grow', async () => (await pool.size()) > size, promiseMs);
      expect(await queues.find('replenish-keys', id)).toMatchObject({ state: 'active' });
    },
  );

  test(
    'flushes clicks even when BullMQ can no longer read its queue',
    { timeout: 60_000 },
    async (context) => {
      const { open, redis, prefix, settings } = await openQueues(context);
      const worker = await useWorker(context, settings, ['--queues', 'flush-clicks']);
      await insertUrls(database.db(), { begin: 'guarded-', count: 1 });
      const [urlId] = await database.db()('urls').where({ short_code: 'guarded-0' }).pluck('id');
      const waiting = open('flush-clicks').toKey('wait');
      await redis.multi().del(waiting).set(waiting, 'not a list').exec();
      const stream = createClickStream(redis, { prefix, shards: 1 });
      await stream.send({
        producer: uuidv7(),
        seq: 1,
        accepted: 7,
        clicks: [{ urlId, count: 7, lastAtMs: Date.now() }],
      });
      const readCount = async () =>
        (await database.db()('url_stats').where({ url_id: urlId }).pluck('click_count'))[0];
      await waitUntil('the clicks are counted', async () => (await readCount()) === 7, 25_000);
      await waitUntil('the worker logs the flush without a job', () =>
        worker.output().includes('flushed clicks without a job'),
      );
    },
  );
});

async function injectFault(server: TestRedis, fault: 'killed' | 'stopped by SIGSTOP') {
  if (fault === 'killed') await server.kill();
  else server.hang();
}

async function endFault(server: TestRedis, fault: 'killed' | 'stopped by SIGSTOP') {
  if (fault === 'killed') await server.start();
  else server.resume();
}
