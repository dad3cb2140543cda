import { afterAll, beforeAll, expect, test } from 'vitest';
import { isRedisUnavailable } from '../../../src/storage/redis/errors.ts';
import { closeRedis, openRedis } from '../../../src/storage/redis/redis.ts';
import { readSlowness } from '../../support/processes/slowness.ts';
import { silentLog } from '../../support/resources.ts';
import { startTestRedis, type TestRedis } from '../../support/services/servers.ts';
import { waitUntil } from '../../support/wait-until.ts';

let server: TestRedis;
let redis: ReturnType<typeof openRedis>;

beforeAll(async () => {
  server = await startTestRedis();
  redis = openRedis('cache', server.url, silentLog);
  await waitUntil('Redis is connected', () => redis.status === 'ready');
});

afterAll(async () => {
  server.resume();
  await closeRedis(redis);
  await server.stop();
});

/** Blocks the event loop, so that this process reads nothing. */
function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

test('a reply that arrived in time is processed when the event loop is late', async () => {
  for (let i = 0; i < 5; i++) {
    const answer = redis.echo('here');
    // Redis itself may also wait for a processor.
    block(100 * readSlowness());
    expect(await answer).toBe('here');
  }
});

test('a look-up in a hanging Redis fails after 50 ms', async () => {
  server.hang();
  const start = performance.now();
  const error: unknown = await redis.echo('here').catch((reason: unknown) => reason);
  expect(isRedisUnavailable(error)).toBe(true);
  expect(performance.now() - start).toBeGreaterThan(48);
});
