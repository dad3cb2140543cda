import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCodes, assertExactCounts } from '../../support/clicks/counts.ts';
import { startLoad } from '../../support/processes/load.ts';
import { startWeb, startWorker } from '../../support/processes/processes.ts';
import { useDatabase } from '../../support/resources.ts';
import { startTestRedis, type TestRedis } from '../../support/services/servers.ts';
import { waitUntil } from '../../support/wait-until.ts';

const { db, url } = useDatabase();
let redis: TestRedis;

beforeAll(async () => {
  redis = await startTestRedis();
});

afterAll(async () => {
  await redis.stop();
});

/** Puts load on a web and a worker process, loses the data of Redis three times, and asserts exact counts: first when
 *  counting has caught up, then after both processes have ended. */
async function assertNoLoss(loseData: () => Promise<void>) {
  const settings = { DATABASE_URL: url(), REDIS_URL: redis.url };
  const [web, worker] = await Promise.all([startWeb(settings), startWorker(settings)]);
  const codes = await createCodes(db(), web.baseUrl, 5);
  const load = startLoad(web.baseUrl, codes);
  for (let times = 1; times <= 3; times++) {
    const before = load.answeredInAll();
    await waitUntil('the load runs', () => load.answeredInAll() > before + 1_000);
    await loseData();
  }
  const tally = await load.stop();
  await assertExactCounts(db(), tally, [web, worker]);
  expect(tally.failures).toEqual([]);
}

test('clicks that Redis loses to a FLUSHALL under load are counted exactly once', async () => {
  await assertNoLoss(async () => {
    const client = new Redis(redis.url);
    await client.flushall();
    client.disconnect();
  });
});

test('clicks that a killed Redis without persistence loses are counted exactly once', async () => {
  await assertNoLoss(async () => {
    await redis.kill();
    await redis.start();
  });
});
