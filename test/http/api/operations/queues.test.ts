import { Worker } from 'bullmq';
import { expect, test } from 'vitest';
import { createApiKeys } from '../../../../src/api-keys/api-keys.ts';
import { type JobName, jobNames, jobs } from '../../../../src/queues/jobs.ts';
import { queuePrefix } from '../../../../src/queues/queues.ts';
import { closeRedis, openRedis } from '../../../../src/storage/redis/redis.ts';
import { createClient } from '../../../support/http/client.ts';
import { useWeb } from '../../../support/http/web-app.ts';
import { startWeb } from '../../../support/processes/processes.ts';
import { startProxy } from '../../../support/proxy/proxy.ts';
import { silentLog, storeSettings } from '../../../support/resources.ts';
import { waitUntil } from '../../../support/wait-until.ts';

const web = useWeb();

interface Queue {
  name: JobName;
  is_paused: boolean;
  workers: number;
  waiting: number;
  oldest_waiting_ms: number | null;
  running: { id: string; progress: number; started_at: string }[];
  last_run: { id: string; state: string; finished_at: string; duration_ms: number; result: unknown } | null;
  failed_24h: number;
  next_run_at: string | null;
}

const readQueue = async (name: JobName): Promise<Queue> =>
  ((await web.client().get('/api/v1/queues')).body['items'] as Queue[]).find((queue) => queue.name === name)!;

const untilQueue = async (name: JobName, what: string, isReached: (queue: Queue) => boolean) =>
  await waitUntil(what, async () => {
    const queue = await readQueue(name);
    return isReached(queue) && queue;
  });

const requestJob = async (name: JobName, data: object = {}) =>
  String((await web.client().post(`/api/v1/jobs/${name}`, data)).body['id']);

const pathOf = (name: string, query = '') => `/api/v1/queues/${name}/failures${query}`;

/** Runs jobs of this kind until `use` resolves. */
async function withWorker(
  name: JobName,
  process: ConstructorParameters<typeof Worker>[1],
  use: () => Promise<void>,
) {
  const connection = openRedis('worker', web.redis.url(), silentLog);
  const worker = new Worker(name, process, { connection, prefix: queuePrefix(web.redis.prefix, name) });
  worker.on('error', () => undefined);
  try {
    await use();
  } finally {
    await worker.close();
    await closeRedis(connection);
  }
}

/** Fails jobs with these numbers as data; resolves to their IDs. */
async function failJobs(name: 'warm-cache' | 'flush-clicks', count: number): Promise<string[]> {
  const ids: string[] = [];
  const fail = async () => await Promise.reject(new Error('select 1 - canceling statement'));
  await withWorker(name, fail, async () => {
    for (let i = 0; i < count; i += 1) ids.push(await requestJob(name));
    await untilQueue(name, 'the jobs have failed', ({ last_run: last }) => last?.id === ids.at(-1));
  });
  return ids;
}

test('a service without jobs lists every queue with its description, and nothing in it', async () => {
  const { status, body } = await web.client().get('/api/v1/queues');
  expect(status).toBe(200);
  expect(body).toEqual({
    items: jobNames.map((name) => ({
      name,
      needs_data: ['rename-tag', 'fetch-title'].includes(name),
      description: jobs[name].description,
      is_paused: false,
      workers: 0,
      waiting: 0,
      oldest_waiting_ms: null,
      running: [],
      last_run: null,
      failed_24h: 0,
      next_run_at: null,
    })),
    next_cursor: null,
  });
});

test('a job is listed while it waits, while it runs with its progress, and after its end with its result', async () => {
  const id = await requestJob('reconcile-cache');
  const waiting = await untilQueue('reconcile-cache', 'the job waits', (queue) => queue.waiting === 1);
  expect(waiting.oldest_waiting_ms).toBeGreaterThanOrEqual(0);
  let end: (summary: unknown) => void = () => undefined;
  await withWorker(
    'reconcile-cache',
    async (job) => {
      await job.updateProgress(42);
      return await new Promise((resolve) => {
        end = resolve;
      });
    },
    async () => {
      const running = await untilQueue('reconcile-cache', 'the job runs', (queue) =>
        queue.running.some(({ progress }) => progress === 42),
      );
      expect(running.waiting).toBe(0);
      expect(running.oldest_waiting_ms).toBeNull();
      expect(running.running).toEqual([{ id, progress: 42, started_at: expect.stringMatching(/Z$/) }]);
      end({ checked: 7 });
      const { last_run: last } = await untilQueue('reconcile-cache', 'the job is completed', (queue) =>
        Boolean(queue.last_run),
      );
      expect(last).toEqual({
        id,
        state: 'completed',
        finished_at: expect.stringMatching(/Z$/),
        duration_ms: expect.any(Number),
        result: { checked: 7 },
      });
    },
  );
});

test('a failed job counts for 24 hours, and is the last run', async () => {
  const [id] = await failJobs('flush-clicks', 1);
  const queue = await readQueue('flush-clicks');
  expect(queue.last_run).toMatchObject({ id, state: 'failed', result: null });
  const failed = `${queuePrefix(web.redis.prefix, 'flush-clicks')}:flush-clicks:failed`;
  await web.redis.redis().zadd(failed, Date.now() - 25 * 3_600_000, id!);
  await untilQueue('flush-clicks', 'the failure is a day old', ({ failed_24h }) => failed_24h === 0);
});

test('failed jobs are listed newest first, in pages, with error, attempts and data', async () => {
  const name = 'flush-clicks';
  const ids = await failJobs(name, 3);
  const first = await web.client().get(pathOf(name, '?limit=2'));
  expect(first.body['items']).toEqual(
    [ids[2], ids[1]].map((id) => ({
      id,
      error: 'select 1 - canceling statement',
      attempts: 1,
      failed_at: expect.stringMatching(/Z$/),
      data: {},
    })),
  );
  // A new failure does not shift the next page.
  await failJobs(name, 1);
  const cursor = String(first.body['next_cursor']);
  const second = await web.client().get(pathOf(name, `?limit=1&cursor=${cursor}`));
  expect((second.body['items'] as { id: string }[]).map(({ id }) => id)).toEqual([ids[0]]);
});

test('the failures of unknown queues, and pages of other lists, are rejected', async () => {
  expect(await web.client().get(pathOf('nothing'))).toBeProblem('not-found');
  expect(await web.client().get(pathOf('__proto__'))).toBeProblem('not-found');
  await failJobs('flush-clicks', 2);
  const { body } = await web.client().get(pathOf('flush-clicks', '?limit=1'));
  for (const query of [`?cursor=${String(body['next_cursor'])}`, '?limit=0', '?limit=101', '?unknown=1'])
    expect(await web.client().get(pathOf('warm-cache', query))).toBeProblem('validation-failed');
});

test('a paused queue is marked, and its jobs wait', async () => {
  const meta = `${queuePrefix(web.redis.prefix, 'export-urls')}:export-urls:meta`;
  await web.redis.redis().hset(meta, 'paused', '1');
  await requestJob('export-urls');
  const queue = await untilQueue('export-urls', 'the queue is paused', ({ is_paused }) => is_paused);
  expect(queue.waiting).toBe(1);
});

test('without Redis, and while Redis does not answer, queues are 503 within seconds', async () => {
  const proxy = await startProxy(Number(new URL(web.redis.url()).port));
  const { key } = await createApiKeys(web.database.db()).create('jobs', { scopes: ['jobs:run'] });
  const url = new URL(web.redis.url());
  url.port = String(proxy.port);
  const other = await startWeb({
    ...storeSettings(web.database, web.redis),
    REDIS_URL: url.href,
  });
  const client = createClient(other.baseUrl, key);
  try {
    // On a busy machine the first connection may take longer than an answer waits.
    await waitUntil('queues are listed', async () => (await client.get('/api/v1/queues')).status === 200);
    proxy.goHalfOpen();
    for (const path of ['/api/v1/queues', pathOf('warm-cache')]) {
      const begin = performance.now();
      const answer = await waitUntil('Redis is missed', async () => {
        const found = await client.get(path);
        return found.status !== 200 && found;
      });
      expect(answer).toBeProblem('unavailable');
      expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
      expect(performance.now() - begin).toBeLessThan(5_000);
    }
    await proxy.refuse();
    proxy.cut();
    expect((await client.get(pathOf('warm-cache'))).status).toBe(503);
  } finally {
    await other.stop();
    await proxy.close();
  }
});
