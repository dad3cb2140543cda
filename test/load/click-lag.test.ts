import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createCodes, readCounted } from '../support/clicks/counts.ts';
import { startWeb, startWorker } from '../support/processes/processes.ts';
import { storeSettings, useDatabase, useRedis } from '../support/resources.ts';
import { waitUntil } from '../support/wait-until.ts';

const database = useDatabase();
const redis = useRedis();

/** Visits a short URL once after a delay; resolves to the time from its answer until the click is counted. */
async function measureLag(baseUrl: string, code: string, afterMs: number): Promise<number> {
  // Spreads the clicks over the interval between two flushes.
  await delay(afterMs);
  const { status } = await fetch(`${baseUrl}/${code}`, { redirect: 'manual' });
  expect(status).toBe(301);
  const answeredAt = performance.now();
  const isCounted = async () => (await readCounted(database.db())).get(code) === 1;
  await waitUntil('the click is counted', isCounted, 20_000);
  return performance.now() - answeredAt;
}

const percentile = (values: number[], share: number) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length * share)]!;

test('a click is in PostgreSQL within 2 s, or within 15 s after a kill of the only worker', async () => {
  const settings = storeSettings(database, redis);
  const [web, worker] = await Promise.all([startWeb(settings), startWorker(settings)]);
  const codes = await createCodes(database.db(), web.baseUrl, 130);
  const inPeace = await Promise.all(
    codes.slice(0, 100).map((code, i) => measureLag(web.baseUrl, code, i * 30)),
  );
  expect(percentile(inPeace, 0.99)).toBeLessThan(2_000);

  worker.signal('SIGKILL');
  const bereft = await Promise.all(codes.slice(100).map((code, i) => measureLag(web.baseUrl, code, i * 10)));
  expect(Math.max(...bereft)).toBeLessThan(15_000);
  await web.stop();
});
