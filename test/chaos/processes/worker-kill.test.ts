import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCodes, assertExactCounts } from '../../support/clicks/counts.ts';
import { startLoad } from '../../support/processes/load.ts';
import { startProcess, startWeb, startWorker } from '../../support/processes/processes.ts';
import { useDatabase } from '../../support/resources.ts';
import { startTestRedis, type TestRedis } from '../../support/services/servers.ts';
import { waitUntil } from '../../support/wait-until.ts';

const { db, url } = useDatabase();
let redis: TestRedis;

beforeAll(async () => {
  redis = await startTestRedis({ appendonly: true });
});

afterAll(async () => {
  await redis.stop();
});

/** Terminates every database connection except those of the tests. */
const cutPostgres = async () =>
  await db().raw(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and application_name <> 'linkmill-test'`,
  );

async function cutRedis() {
  const client = new Redis(redis.url);
  await client.call('client', 'kill', 'type', 'normal', 'skipme', 'yes');
  client.disconnect();
}

test('each click counts exactly once despite killed workers and cut connections', async () => {
  const settings = { DATABASE_URL: url(), REDIS_URL: redis.url };
  const web = await startWeb(settings);
  let worker = await startWorker(settings);
  const codes = await createCodes(db(), web.baseUrl, 20);
  const load = startLoad(web.baseUrl, codes, 32);
  for (let times = 1; times <= 4; times++) {
    const before = load.answeredInAll();
    await waitUntil('the load runs', () => load.answeredInAll() > before + 1_000);
    const flushes = [1, 2, 3].map(() => startProcess('workers/run-job.js', settings, ['flush-clicks']));
    worker.signal('SIGKILL');
    expect(await worker.ended).toBe('SIGKILL');
    await (times % 2 === 0 ? cutRedis() : cutPostgres());
    [worker] = await Promise.all([startWorker(settings), ...flushes.map((flush) => flush.ended)]);
  }
  const tally = await load.stop();
  await assertExactCounts(db(), tally, [web, worker]);
});
