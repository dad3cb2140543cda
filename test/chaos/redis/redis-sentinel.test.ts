import { afterEach, beforeEach, expect, test } from 'vitest';
import { assertExactCounts, createCodes } from '../../support/clicks/counts.ts';
import { isHealthy, readHealth } from '../../support/http/health.ts';
import { startLoad } from '../../support/processes/load.ts';
import { startWeb, startWorker } from '../../support/processes/processes.ts';
import { useDatabase } from '../../support/resources.ts';
import { startTestSentinels } from '../../support/services/sentinels.ts';
import { waitUntil } from '../../support/wait-until.ts';

const { db, url } = useDatabase();
let redis: Awaited<ReturnType<typeof startTestSentinels>>;

beforeEach(async () => {
  redis = await startTestSentinels();
});

afterEach(async () => {
  await redis.stop();
});

const redisUrl = () => `redis+sentinel://${redis.hosts}/${redis.name}/1`;

/** Puts load on a web and a worker process while the replica is promoted, and asserts that nothing failed and all is counted. */
async function assertNoLoss(promote: () => Promise<void>) {
  const settings = { DATABASE_URL: url(), REDIS_URL: redisUrl() };
  const [web, worker] = await Promise.all([startWeb(settings), startWorker(settings)]);
  const codes = await createCodes(db(), web.baseUrl, 5);
  const load = startLoad(web.baseUrl, codes);
  await waitUntil('the load runs', () => load.answeredInAll() > 1_000);
  await promote();
  await waitUntil(
    'the replica is the primary',
    async () => (await redis.primaryPort()) === redis.second.port,
    30_000,
  );
  await waitUntil(
    'the service is healthy with the new primary',
    async () => await isHealthy(web.baseUrl),
    30_000,
  );
  const before = load.answeredInAll();
  await waitUntil('redirects go on', () => load.answeredInAll() > before + 1_000);
  const tally = await load.stop();
  await assertExactCounts(db(), tally, [web, worker]);
  expect(tally.failures).toEqual([]);
}

test('a killed primary loses no click and fails no redirect', async () => {
  await assertNoLoss(async () => await redis.first.kill());
});

test('a primary that becomes a replica loses no click and fails no redirect', async () => {
  await assertNoLoss(async () => await redis.failOver());
});

test('a name that no sentinel knows is a condition that says so', async () => {
  const web = await startWeb({
    DATABASE_URL: url(),
    REDIS_URL: `redis+sentinel://${redis.hosts}/other`,
  });
  await waitUntil('the condition is reported', async () => {
    const { conditions } = await readHealth(web.baseUrl);
    return conditions.some(({ reason }) => reason.includes('No sentinel of REDIS_URL names a primary'));
  });
  expect(await web.stop()).toBe(0);
});
