import { afterEach, beforeEach, expect, test } from 'vitest';
import { queuePrefix } from '../../../src/queues/queues.ts';
import { assertExactCounts, createCodes } from '../../support/clicks/counts.ts';
import { isHealthy } from '../../support/http/health.ts';
import { startLoad } from '../../support/processes/load.ts';
import { startWeb, startWorker } from '../../support/processes/processes.ts';
import { useDatabase } from '../../support/resources.ts';
import { startTestCluster, type TestCluster } from '../../support/services/cluster.ts';
import { waitUntil } from '../../support/wait-until.ts';

const { db, url } = useDatabase();
let cluster: TestCluster;

beforeEach(async () => {
  cluster = await startTestCluster();
});

afterEach(async () => {
  await cluster.stop();
});

/** Puts load on a web and a worker process while the primary of a key is killed, and asserts that nothing failed and all is counted. */
async function assertNoLoss(key: string) {
  const settings = { DATABASE_URL: url(), REDIS_URL: cluster.url };
  const [web, worker] = await Promise.all([startWeb(settings), startWorker(settings)]);
  await waitUntil('the service is healthy', async () => await isHealthy(web.baseUrl), 30_000);
  const codes = await createCodes(db(), web.baseUrl, 20);
  const load = startLoad(web.baseUrl, codes);
  await waitUntil('the load runs', () => load.answeredInAll() > 1_000);
  const killed = await cluster.primaryOf(key);
  await killed.kill();
  await waitUntil(
    'a replica is promoted',
    async () => (await cluster.primaryOf(key).catch(() => killed)) !== killed,
    30_000,
  );
  await waitUntil('the service is healthy again', async () => await isHealthy(web.baseUrl), 30_000);
  const before = load.answeredInAll();
  await waitUntil('redirects go on', () => load.answeredInAll() > before + 1_000);
  const tally = await load.stop();
  await assertExactCounts(db(), tally, [web, worker]);
  expect(tally.failures).toEqual([]);
  for (const { output } of [web, worker]) expect(output().split('\n').length).toBeLessThan(60);
}

test('the killed primary of the click stream loses no click and fails no redirect', async () => {
  await assertNoLoss('linkmill:clicks:{0}');
});

test('the killed primary of a queue loses no click and fails no redirect', async () => {
  await assertNoLoss(`${queuePrefix('linkmill', 'flush-clicks')}:flush-clicks:wait`);
});

test('a change that is made while a node is away is effective for every short URL', async () => {
  const settings = { DATABASE_URL: url(), REDIS_URL: cluster.url };
  const [web, worker] = await Promise.all([startWeb(settings), startWorker(settings)]);
  await waitUntil('the service is healthy', async () => await isHealthy(web.baseUrl), 30_000);
  const codes = await createCodes(db(), web.baseUrl, 20);
  const locationOf = async (code: string) =>
    (await fetch(`${web.baseUrl}/${code}`, { redirect: 'manual' })).headers.get('location');
  for (const code of codes) await locationOf(code);
  const killed = await cluster.primaryOf(`linkmill:url:${codes[0]}`);
  await killed.kill();
  await db()('urls').update({ original_url: 'https://example.com/changed' });
  for (const code of codes)
    await waitUntil(
      'the change is effective',
      async () => (await locationOf(code)) === 'https://example.com/changed',
      30_000,
    );
  await waitUntil('the service is healthy again', async () => await isHealthy(web.baseUrl), 30_000);
  expect(await web.stop()).toBe(0);
  expect(await worker.stop()).toBe(0);
});
