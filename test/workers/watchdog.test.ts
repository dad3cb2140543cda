import { describe, expect, inject, test, type TestContext } from 'vitest';
import { jobNames } from '../../src/queues/jobs.ts';
import { createQueues } from '../../src/queues/queues.ts';
import { closeRedis, openRedis } from '../../src/storage/redis/redis.ts';
import type { JobContext, Processors } from '../../workers/job-context.ts';
import { createJobMetrics } from '../../workers/job-metrics.ts';
import { watchWorkers } from '../../workers/watchdog.ts';
import { startWorkers } from '../../workers/worker-pool.ts';
import { startProxy } from '../support/proxy/proxy.ts';
import { silentLog, track, uniquePrefix } from '../support/resources.ts';
import { startTestRedis } from '../support/services/servers.ts';
import { waitUntil } from '../support/wait-until.ts';

const name = 'warm-cache';
/** Time for 20 checks, each of which would detect a stuck Worker. */
const patienceMs = 2_000;
const quickTimes = { checkEveryMs: 100, idleMs: 500, silentMs: 1_000 };
/** Longer than a Worker needs to detect that Redis is available again. */
const slowTimes = { ...quickTimes, idleMs: 3_000 };

/** A watched Worker of one queue whose job runs `job`; queue and watchdog use `redisUrl`, the Worker uses
 *  `workerUrl`. */
async function watchOne(
  { onTestFinished }: TestContext,
  {
    job = async () => {},
    redisUrl = inject('redisUrl'),
    workerUrl = redisUrl,
    times = quickTimes,
  }: {
    job?: (context: JobContext) => Promise<void>;
    redisUrl?: string;
    workerUrl?: string;
    times?: typeof quickTimes;
  } = {},
) {
  const redisPrefix = uniquePrefix();
  const redis = openRedis('producer', redisUrl, silentLog);
  await waitUntil('Redis is connected', () => redis.status === 'ready');
  const closed = track('watched worker');
  const queues = createQueues(redis, redisPrefix, silentLog);
  const queue = queues.all[jobNames.indexOf(name)]!;
  const state = { done: 0, ends: [] as string[] };
  const processors = {
    [name]: async (_data: object, context: JobContext) => {
      await job(context);
      state.done += 1;
      return {};
    },
  } as unknown as Processors;
  const workers = startWorkers({
    names: [name],
    processors,
    openRedis: () => openRedis('worker', workerUrl, silentLog),
    redisPrefix,
    jobMetrics: createJobMetrics(),
    log: silentLog,
  });
  const first = workers.get(name);
  const replacements: unknown[] = [];
  const watchedWorkers = {
    ...workers,
    replace: (which: typeof name) => {
      workers.replace(which);
      replacements.push(workers.get(which));
    },
  };
  await waitUntil('the worker runs', () => first.worker.isRunning());
  const stop = watchWorkers({
    workers: watchedWorkers,
    queues,
    endProcess: (reason) => state.ends.push(reason),
    log: silentLog,
    times,
  });
  onTestFinished(async () => {
    stop();
    workers.get(name).drop();
    await waitUntil('Redis is connected', () => redis.status === 'ready');
    await queue.obliterate({ force: true });
    await closeRedis(redis);
    closed();
  });
  return { queue, first, replacements, state, add: async () => await queue.add(name, {}) };
}

/** Resolves when a watchdog would have acted on a stuck Worker. */
async function outwaitWatchdog(ms = patienceMs) {
  const end = performance.now() + ms;
  await waitUntil('the watchdog has had time to check', () => performance.now() > end);
}

describe.concurrent('with a separate queue per test,', () => {
  test('a Worker that takes no jobs is replaced, and the waiting job runs', async (context) => {
    const { first, add, state, replacements } = await watchOne(context);
    await first.worker.pause(true);
    expect(first.worker.isRunning()).toBe(true);
    // A paused Worker may still take the job that it was waiting for.
    await add();
    await add();
    await waitUntil('both jobs are done', () => state.done === 2, 5_000);
    expect(replacements.length).toBe(1);
    expect(state.ends).toEqual([]);
  });

  test('a Worker that is stuck after two replacements ends the process once', async (context) => {
    const proxy = await startProxy(Number(new URL(inject('redisUrl')).port));
    context.onTestFinished(proxy.close);
    const { add, state, replacements } = await watchOne(context, {
      workerUrl: `redis://127.0.0.1:${proxy.port}`,
    });
    proxy.mute('linkmill-worker');
    await add();
    await waitUntil('the watchdog ends the process', () => state.ends.length > 0, 10_000);
    expect(replacements.length).toBe(2);
    await outwaitWatchdog();
    expect(state.ends).toEqual(['the worker of warm-cache is stuck']);
    expect(replacements.length).toBe(2);
  });

  test('a Worker whose job reports no progress is replaced, and its job is interrupted', async (context) => {
    let aborted = false;
    let times = 0;
    const job = async ({ signal }: JobContext) => {
      times += 1;
      if (times > 1) return;
      await new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => {
          aborted = true;
          resolve();
        });
      });
    };
    const { add, state, replacements } = await watchOne(context, { job });
    await add();
    await add();
    await waitUntil('both jobs are done', () => state.done >= 2, 5_000);
    expect(aborted).toBe(true);
    expect(replacements.length).toBe(1);
  });

  test('a Worker with a long job that reports progress is not replaced', async (context) => {
    const job = async ({ reportProgress }: JobContext) => {
      const end = performance.now() + patienceMs;
      await waitUntil('the job has run long enough', async () => {
        await reportProgress(50);
        return performance.now() > end;
      });
    };
    const { add, state, replacements } = await watchOne(context, { job });
    await add();
    await add();
    await waitUntil('both jobs are done', () => state.done === 2);
    expect(replacements).toHaveLength(0);
  });

  test('a Worker is not replaced while nothing is due or its queue is paused or limited to 0', async (context) => {
    const { queue, add, state, replacements } = await watchOne(context);
    await queue.add(name, {}, { delay: 60_000 });
    await outwaitWatchdog();
    await queue.pause();
    await add();
    await outwaitWatchdog();
    await queue.setGlobalConcurrency(0);
    await queue.resume();
    await outwaitWatchdog();
    expect(state.done).toBe(0);
    expect(replacements).toHaveLength(0);
    expect(state.ends).toEqual([]);
    await queue.removeGlobalConcurrency();
    await add();
    await waitUntil('both jobs are done', () => state.done === 2);
  });

  test('a Worker is not replaced while Redis rejects writes, and its job runs afterwards', async (context) => {
    const { server, redis } = await useServer(context);
    const { queue, first, state, replacements } = await watchOne(context, {
      redisUrl: server.url,
      times: slowTimes,
    });
    await queue.add(name, {}, { delay: 300 });
    await redis.replicaof('127.0.0.1', 1);
    await waitUntil('Redis rejects the worker', () => first.activity.rejections > 0);
    await outwaitWatchdog(slowTimes.idleMs + 1_500);
    expect(state.done).toBe(0);
    expect(replacements).toHaveLength(0);
    expect(state.ends).toEqual([]);
    await redis.replicaof('NO', 'ONE');
    await waitUntil('the job is done', () => state.done === 1);
  });

  test('a Worker is not replaced while Redis is down, and recovers by itself', async (context) => {
    const { server } = await useServer(context);
    const { queue, state, replacements } = await watchOne(context, {
      redisUrl: server.url,
      times: slowTimes,
    });
    await queue.add(name, {}, { delay: 300 });
    await server.kill();
    await outwaitWatchdog(slowTimes.idleMs + 1_500);
    await server.start();
    await waitUntil('the job is done', () => state.done === 1);
    expect(replacements).toHaveLength(0);
    expect(state.ends).toEqual([]);
  });
});

async function useServer({ onTestFinished }: TestContext) {
  const server = await startTestRedis({ appendonly: true });
  const closed = track('Redis server');
  const redis = openRedis('jobs', server.url, silentLog);
  onTestFinished(async () => {
    await closeRedis(redis);
    await server.stop();
    closed();
  });
  return { server, redis };
}
