import { afterAll, beforeAll, expect, test } from 'vitest';
import { openPrometheus } from '../../support/http/prometheus.ts';
import { startWeb, startWorker, type TestProcess } from '../../support/processes/processes.ts';
import { storeSettings, useDatabase, useRedis } from '../../support/resources.ts';
import { waitUntil } from '../../support/wait-until.ts';

const database = useDatabase();
const redis = useRedis();
const settings = () => ({
  ...storeSettings(database, redis),
  METRICS_PUBLIC: 'true',
});
let web: TestProcess & { baseUrl: string };

beforeAll(async () => {
  web = await startWeb(settings());
});
afterAll(async () => void (await web.stop()));

/** The live workers of two queues in the metrics of the web process. */
async function readWorkers(): Promise<number[]> {
  const metrics = await openPrometheus(web.baseUrl);
  return ['flush-clicks', 'warm-cache'].map((queue) => metrics.value('linkmill_queue_workers', { queue }));
}

const untilWorkers = async (counts: number[]) =>
  await waitUntil(
    `${counts.join(' and ')} are alive`,
    async () => String(await readWorkers()) === String(counts),
    40_000,
  );

test('a worker counts for its queues until it ends, or until 15 s after a kill', async () => {
  await untilWorkers([0, 0]);
  const all = await startWorker(settings());
  const few = await startWorker(settings(), ['--queues', 'flush-clicks']);
  await untilWorkers([2, 1]);
  await few.stop();
  expect(await readWorkers()).toEqual([1, 1]);
  all.signal('SIGKILL');
  await all.ended;
  expect(await readWorkers()).toEqual([1, 1]);
  await untilWorkers([0, 0]);
});
