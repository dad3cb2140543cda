import { expect, inject, test } from 'vitest';
import { createQueues } from '../../../src/queues/queues.ts';
import { closeRedis, openRedis } from '../../../src/storage/redis/redis.ts';
import { startWeb, startWorker } from '../../support/processes/processes.ts';
import { silentLog, uniquePrefix, useDatabase } from '../../support/resources.ts';
import { waitUntil } from '../../support/wait-until.ts';

const database = useDatabase();

interface Health {
  status: string;
  works: { jobs: boolean };
  conditions: { code: string; reason: string }[];
}

/** The guaranteed 40 s, plus a margin for a busy machine. */
const seenWithinMs = 60_000;

test('health is degraded while no worker runs and while a queue is paused', async ({ onTestFinished }) => {
  const settings = {
    DATABASE_URL: database.url(),
    REDIS_URL: inject('redisUrl'),
    REDIS_PREFIX: uniquePrefix(),
    METRICS_PUBLIC: 'true',
  };
  const web = await startWeb(settings);
  onTestFinished(async () => void (await web.stop()));
  const read = async () => (await (await fetch(`${web.baseUrl}/health`)).json()) as Health;
  const until = async (what: string, condition: (health: Health) => boolean) =>
    await waitUntil(what, async () => condition(await read()), seenWithinMs);
  const isWell = ({ status, works }: Health) => status === 'healthy' && works.jobs;
  const lacks = (code: string) => (health: Health) =>
    health.status === 'degraded' && !health.works.jobs && health.conditions.some((one) => one.code === code);

  await until('no worker is seen', lacks('workers_missing'));
  const worker = await startWorker(settings);
  onTestFinished(async () => void (await worker.stop()));
  await until('the worker is seen', isWell);
  worker.signal('SIGSTOP');
  await until('the stopped worker is missed', lacks('workers_missing'));
  worker.signal('SIGCONT');
  await until('the worker is seen again', isWell);

  const redis = openRedis('producer', settings.REDIS_URL, silentLog);
  await waitUntil('Redis is connected', () => redis.status === 'ready');
  const queue = createQueues(redis, settings.REDIS_PREFIX, silentLog).all.find(
    ({ name }) => name === 'flush-clicks',
  )!;
  await queue.pause();
  await until('the pause is seen', lacks('queues_paused'));
  const metrics = await (await fetch(`${web.baseUrl}/metrics`)).text();
  expect(metrics).toMatch(/^linkmill_queue_paused\{queue="flush-clicks"\} 1/m);
  expect(metrics).toMatch(/^linkmill_queue_workers\{queue="flush-clicks"\} 1/m);
  await queue.resume();
  await until('the resumed queue is fine', isWell);
  await closeRedis(redis);

  // Two conditions, each with one line at its beginning and one at its end.
  const said = web
    .output()
    .split('\n')
    .filter((line) => line.includes('workers_missing'));
  expect(said).toHaveLength(4);
  expect(await worker.stop()).toBe(0);
  expect(await web.stop()).toBe(0);
});
