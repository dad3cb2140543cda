import { describe, expect, test, type TestContext } from 'vitest';
import { findFreePort } from '../../../scripts/services/ports.ts';
import { createQueues } from '../../../src/queues/queues.ts';
import { closeRedis, openRedis } from '../../../src/storage/redis/redis.ts';
import { placeWeb } from '../../support/processes/launch.ts';
import { runProcess, startWeb, startWorker } from '../../support/processes/processes.ts';
import { silentLog, useDatabase } from '../../support/resources.ts';
import { useRedisUsers } from '../../support/services/redis-users.ts';
import { startTestRedis } from '../../support/services/servers.ts';
import { waitUntil } from '../../support/wait-until.ts';

const database = useDatabase();
const redisUsers = useRedisUsers();

const common = ['~linkmill*', '~{linkmill*', '&linkmill*', '+@all', '-@dangerous'];

/** The settings of a process whose Redis user has these rights. */
async function settingsAs(user: string, rights: string[]) {
  return { DATABASE_URL: database.url(), REDIS_URL: await redisUsers.createUser(user, rights) };
}

/** The non-empty output lines that are not JSON: a library printed them. */
const rawLines = (output: string) =>
  output.split('\n').filter((line) => line !== '' && !line.startsWith('{'));
const lines = (output: string) => output.split('\n').filter(Boolean).length;

async function useQueues({ onTestFinished }: TestContext) {
  const redis = openRedis('producer', redisUsers.server().url, silentLog);
  await waitUntil('Redis is connected', () => redis.status === 'ready');
  onTestFinished(async () => await closeRedis(redis));
  return createQueues(redis, 'linkmill', silentLog);
}

test('a worker whose Redis user may not run INFO processes jobs and ends on SIGTERM', async (context) => {
  const worker = await startWorker(await settingsAs('no-info', common));
  const queues = await useQueues(context);
  const id = await queues.add('cleanup-expired', {});
  await waitUntil(
    'the job is done',
    async () => (await queues.find('cleanup-expired', id))?.state === 'completed',
  );
  await waitUntil('the condition names the missing right', () =>
    worker.output().includes('may not run INFO'),
  );
  expect(await worker.stop()).toBe(0);
  expect(rawLines(worker.output())).toEqual([]);
});

describe.each([
  { lack: 'scripts', rights: ['+info', '-@scripting'], named: 'EVAL, EVALSHA' },
  { lack: 'blocking commands', rights: ['+info', '-@blocking'], named: 'BZPOPMIN' },
])('a worker whose Redis user lacks $lack', ({ lack, rights, named }) => {
  test('reports the missing right in few lines and works once it is granted', async (context) => {
    const user = lack.replaceAll(/\W/g, '-');
    const worker = await startWorker(await settingsAs(user, [...common, ...rights]));
    await waitUntil('the worker logs the missing right', () =>
      worker.output().includes(`may not run ${named}`),
    );
    await waitUntil('Redis has rejected a worker', () => worker.output().includes('worker failed'));
    const queues = await useQueues(context);
    const id = await queues.add('cleanup-expired', {});
    await settingsAs(user, [...common, '+info']);
    const isDone = async () => (await queues.find('cleanup-expired', id))?.state === 'completed';
    await waitUntil('the job is done', isDone, 20_000);
    await waitUntil('the condition has ended', () => worker.output().includes('condition has ended'));
    expect(await worker.stop()).toBe(0);
    expect(lines(worker.output())).toBeLessThan(20);
    expect(rawLines(worker.output())).toEqual([]);
  });
});

describe.each([
  { entry: 'workers/main.js', place: async () => ({}) },
  { entry: 'src/web.js', place: async () => await placeWeb({}) },
])('$entry', ({ entry, place }) => {
  test('exits with code 1 and the cause when Redis rejects its login at startup', async () => {
    const settings = { ...(await settingsAs('somebody', common)), ...(await place()) };
    const REDIS_URL = settings.REDIS_URL.replace('secret', 'wrong');
    const { code, stdout, stderr } = await runProcess(entry, { ...settings, REDIS_URL });
    expect(code).toBe(1);
    expect(stderr).toBe('');
    expect(stdout).toContain('check the user and the password of REDIS_URL');
    expect(lines(stdout)).toBeLessThan(5);
  });

  test('exits with code 1 and the cause when Redis is a cluster node', async () => {
    // By default its second port is 10,000 above the first, and may be in use.
    const busPort = await findFreePort();
    const node = await startTestRedis({ args: ['--cluster-enabled', 'yes', '--cluster-port', `${busPort}`] });
    try {
      const settings = { DATABASE_URL: database.url(), REDIS_URL: node.url, ...(await place()) };
      const { code, stdout } = await runProcess(entry, settings);
      expect(code).toBe(1);
      expect(stdout).toContain('node of a Redis Cluster');
    } finally {
      await node.stop();
    }
  });
});

test('a Redis with an eviction policy degrades health, and both processes report the policy', async () => {
  await redisUsers.admin().config('SET', 'maxmemory-policy', 'allkeys-lru');
  const settings = { DATABASE_URL: database.url(), REDIS_URL: redisUsers.server().url };
  const [web, worker] = await Promise.all([startWeb(settings), startWorker(settings)]);
  try {
    const health = (await (await fetch(`${web.baseUrl}/health`)).json()) as Record<string, unknown>;
    expect(health['status']).toBe('degraded');
    expect(health['conditions']).toContainEqual(
      expect.objectContaining({ code: 'redis_evicts', reason: expect.stringContaining('allkeys-lru') }),
    );
    expect(worker.output()).toContain('allkeys-lru');
    expect([...rawLines(web.output()), ...rawLines(worker.output())]).toEqual([]);
  } finally {
    await Promise.all([web.stop(), worker.stop()]);
    await redisUsers.admin().config('SET', 'maxmemory-policy', 'noeviction');
  }
});
