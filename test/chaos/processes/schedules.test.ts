import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createKeyPool } from '../../../src/keys/key-pool.ts';
import { type JobName, jobNames, jobs } from '../../../src/queues/jobs.ts';
import { createQueues, queuePrefix } from '../../../src/queues/queues.ts';
import { closeRedis } from '../../../src/storage/redis/redis.ts';
import { startWorker, type TestProcess } from '../../support/processes/processes.ts';
import { silentLog, track, uniquePrefix, useDatabase } from '../../support/resources.ts';
import { startTestRedis, type TestRedis } from '../../support/services/servers.ts';
import { openSingleRedis } from '../../support/services/single-redis.ts';
import { waitUntil } from '../../support/wait-until.ts';

const database = useDatabase();
const prefix = uniquePrefix();
const settings = { clickShards: 1 };
/** The others run on demand only. */
const scheduledJobs = jobNames.filter((name) => jobs[name].schedules(settings).length > 0);
let server: TestRedis;
let redis: Redis;
let workers: TestProcess[];
const closers: (() => unknown)[] = [];

beforeAll(async () => {
  server = await startTestRedis();
  closers.push(track('Redis server'), () => server.stop());
  redis = openSingleRedis('producer', server.url, silentLog);
  closers.push(() => closeRedis(redis));
  const env = { DATABASE_URL: database.url(), REDIS_URL: server.url, REDIS_PREFIX: prefix };
  workers = await Promise.all([startWorker(env), startWorker(env)]);
  closers.push(async () => await Promise.all(workers.map((worker) => worker.stop())));
});
afterAll(async () => {
  for (const close of closers.toReversed()) await close();
});

const openQueue = (name: JobName) =>
  new Queue(name, { connection: redis, prefix: queuePrefix(prefix, name) });

/** Every scheduler with its ID and the time of its next job. */
async function readSchedulers() {
  const found = await Promise.all(
    jobNames.map(async (name) => await openQueue(name).getJobSchedulers(0, -1, true)),
  );
  return found.flat().map(({ key, next }) => ({ key, next }));
}

const expectedKeys = [
  'cleanup-expired',
  'cleanup-ledger',
  'cleanup-transfers',
  'export-urls',
  'fill-search-texts',
  'flush-clicks-0',
  'import-urls',
  'maintain-analytics',
  'reconcile-cache',
  'replenish-keys',
  'roll-up-clicks',
  'warm-cache',
];
const keysOf = (schedulers: { key: string }[]) => schedulers.map(({ key }) => key).sort();
/** The number of completed runs of a job. */
const countDone = async (name: JobName) => await openQueue(name).getCompletedCount();

async function seeFlushFire(times: number, timeoutMs: number) {
  const before = await countDone('flush-clicks');
  const hasFired = async () => (await countDone('flush-clicks')) >= before + times;
  await waitUntil(`flush-clicks fires ${times} times`, hasFired, timeoutMs);
}

test('two workers started at once create one scheduler per job, and each scheduler fires', async () => {
  await waitUntil('every scheduler has fired', async () => {
    const counts = await Promise.all(scheduledJobs.map(countDone));
    return counts.every((count) => count > 0);
  });
  await seeFlushFire(3, 5_000);
  expect(keysOf(await readSchedulers())).toEqual(expectedKeys);
  for (const name of jobNames) {
    // One delayed job per scheduler, not one per worker.
    expect(await openQueue(name).getDelayedCount(), name).toBeLessThanOrEqual(1);
  }
});

test('a scheduler that is upserted repeatedly still fires on time', async () => {
  const queues = createQueues(redis, prefix, silentLog);
  const before = await readSchedulers();
  const start = performance.now();
  let upserts = 0;
  const from = await countDone('flush-clicks');
  await waitUntil('flush-clicks fires 4 times', async () => {
    await queues.upsertSchedules(jobNames, settings);
    upserts += 1;
    return (await countDone('flush-clicks')) >= from + 4;
  });
  expect(performance.now() - start).toBeLessThan(7_000);
  expect(upserts).toBeGreaterThan(20);
  const after = await readSchedulers();
  const readAt = Date.now();
  const waiting = before.filter(({ next = 0 }) => next > readAt).map(({ key }) => key);
  expect(waiting.length).toBeGreaterThan(5);
  const nextOf = (schedulers: typeof before) =>
    schedulers.filter(({ key }) => waiting.includes(key)).map(({ key, next }) => [key, next]);
  expect(nextOf(after)).toEqual(nextOf(before));
});

test('schedulers fire and the key pool refills within 10 s of a FLUSHALL under running workers', async () => {
  const start = performance.now();
  await redis.flushall();
  const pool = createKeyPool(redis, prefix);
  await waitUntil(
    'the schedulers are created again',
    async () => keysOf(await readSchedulers()).join() === expectedKeys.join(),
  );
  await seeFlushFire(3, 5_000);
  await waitUntil('the key pool is full', async () => (await pool.size()) >= 100_000);
  expect(performance.now() - start).toBeLessThan(10_000);
});
