import { expect, test, type TestContext } from 'vitest';
import { jobNames } from '../../src/queues/jobs.ts';
import { watchQueues } from '../../src/queues/queue-watch.ts';
import { createQueues } from '../../src/queues/queues.ts';
import { createWorkerCounts, sendHeartbeats } from '../../src/queues/worker-heartbeats.ts';
import { createConditions } from '../../src/resilience/conditions.ts';
import { silentLog, uniquePrefix, useRedis } from '../support/resources.ts';
import { waitUntil } from '../support/wait-until.ts';

const { redis } = useRedis('producer');
const times = { pollEveryMs: 50, unservedMs: 500, overdueMs: 1_000 };

/** A watch of separate queues, with the reasons that it reports by condition. */
async function watch({ onTestFinished }: TestContext) {
  const prefix = uniquePrefix();
  await waitUntil('Redis is connected', () => redis().status === 'ready');
  const queues = createQueues(redis(), prefix, silentLog);
  const workerCounts = createWorkerCounts(redis(), prefix);
  const conditions = createConditions(silentLog);
  const stop = watchQueues({ queues, workerCounts, conditions, log: silentLog, times });
  let stopBeating = async () => {};
  const serve = async (names: typeof jobNames) => {
    await stopBeating();
    stopBeating = async () => {};
    if (names.length > 0)
      stopBeating = sendHeartbeats({ redis: redis(), prefix, processId: 'worker', names, log: silentLog });
  };
  onTestFinished(async () => {
    stop();
    await stopBeating();
    for (const queue of queues.all) await queue.obliterate({ force: true });
    await redis().del(`${prefix}:workers`);
  });
  const reasonOf = (code: string) => conditions.list().find((one) => one.code === code)?.reason;
  return {
    queues,
    workerCounts,
    serve,
    waitUntilReported: async (code: string, text: string) =>
      await waitUntil(`${code} is reported with "${text}"`, () => reasonOf(code)?.includes(text)),
    waitUntilResolved: async (code: string) =>
      await waitUntil(`${code} is no longer reported`, () => reasonOf(code) === undefined),
    reasonOf,
  };
}

test('a missing worker is reported until one sends a heartbeat', async (context) => {
  const { serve, waitUntilReported, waitUntilResolved } = await watch(context);
  await waitUntilReported('workers_missing', 'No worker is running');
  await serve(jobNames);
  await waitUntilResolved('workers_missing');
});

test('only queues without a worker are named', async (context) => {
  const { serve, waitUntilReported, reasonOf } = await watch(context);
  await serve(jobNames.filter((name) => name !== 'import-urls'));
  await waitUntilReported('workers_missing', 'No worker serves import-urls:');
  expect(reasonOf('jobs_overdue')).toBeUndefined();
});

test('a worker without heartbeats counts as missing', async (context) => {
  const { workerCounts, serve, waitUntilReported, waitUntilResolved } = await watch(context);
  await serve(jobNames);
  await waitUntil('a heartbeat is counted', async () => (await workerCounts.read())['warm-cache'] === 1);
  await serve([]);
  await waitUntilReported('workers_missing', 'No worker is running');
  await serve(jobNames);
  await waitUntilResolved('workers_missing');
});

test('an overdue job is reported until a worker takes it', async (context) => {
  const { serve, queues, waitUntilReported, waitUntilResolved } = await watch(context);
  await serve(jobNames);
  await queues.add('import-urls', {});
  await waitUntilReported('jobs_overdue', 'Jobs of import-urls have been due');
  await queues.all[jobNames.indexOf('import-urls')]!.drain();
  await waitUntilResolved('jobs_overdue');
});

test('a delayed job is overdue only after its time', async (context) => {
  const { serve, queues, waitUntilReported } = await watch(context);
  await serve(jobNames);
  const queue = queues.all[jobNames.indexOf('export-urls')]!;
  await queue.add('export-urls', {}, { delay: 60_000 });
  await queues.all[jobNames.indexOf('warm-cache')]!.add('warm-cache', {}, { delay: 10 });
  await waitUntilReported('jobs_overdue', 'Jobs of warm-cache have been due');
});

test('a paused queue is reported as paused and not as overdue, until it is resumed', async (context) => {
  const { serve, queues, waitUntilReported, waitUntilResolved, reasonOf } = await watch(context);
  await serve(jobNames);
  const queue = queues.all[jobNames.indexOf('flush-clicks')]!;
  await queue.pause();
  await queue.add('flush-clicks', {});
  await queues.add('import-urls', {});
  await waitUntilReported('queues_paused', 'flush-clicks');
  await waitUntilReported('jobs_overdue', 'import-urls');
  expect(reasonOf('jobs_overdue')).not.toContain('flush-clicks');
  const states = await queues.readStates();
  expect(states.filter(({ isPaused }) => isPaused).map(({ queue }) => queue)).toEqual(['flush-clicks']);
  await queue.resume();
  await waitUntilResolved('queues_paused');
});
