import { afterAll, beforeAll, expect, test } from 'vitest';
import { createFixedWindowCounter } from '../../src/rate-limits/fixed-window.ts';
import { createRateLimiter } from '../../src/rate-limits/rate-limiter.ts';
import { silentLog, uniquePrefix, useRedis } from '../support/resources.ts';
import { openSingleRedis } from '../support/services/single-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

const shared = useRedis();
const away = openSingleRedis('cache', 'redis://127.0.0.1:1', silentLog);
beforeAll(async () => {
  await new Promise((resolve) => away.once('close', resolve));
});
afterAll(() => away.disconnect());

const open = ({
  redis = shared.redis(),
  name = uniquePrefix(),
  limit = 10,
  seconds = 60,
  processes = 1,
} = {}) =>
  createRateLimiter({
    counts: createFixedWindowCounter({
      redis,
      guard: async (call) => await call(),
      prefix: `${shared.prefix}:${name}`,
      windowSeconds: seconds,
    }),
    limit,
    windowMs: seconds * 1_000,
    processes,
  });

type Limiter = ReturnType<typeof open>;
const consumeMany = (limiter: Limiter, count: number, key = 'key') =>
  Array.from({ length: count }, () => limiter.consume(key)?.isAllowed);
const countAllowed = (limiter: Limiter, count: number) =>
  consumeMany(limiter, count).filter((isAllowed) => isAllowed).length;

test('a key may use its whole limit, and each result has remaining and reset', () => {
  const limiter = open({ limit: 3 });
  expect(limiter.consume('key')).toEqual({
    isAllowed: true,
    limit: 3,
    remaining: 2,
    resetsInMs: 60_000,
    windowMs: 60_000,
  });
  expect(consumeMany(limiter, 4)).toEqual([true, true, false, false]);
  const refused = limiter.consume('key')!;
  expect(refused).toMatchObject({ isAllowed: false, limit: 3, remaining: 0 });
  expect(refused.resetsInMs).toBeGreaterThan(0);
  expect(limiter.rejected).toBe(3);
  expect(consumeMany(limiter, 1, 'another')).toEqual([true]);
});

test('an amount is consumed as a whole or not at all', () => {
  const limiter = open({ limit: 10 });
  expect(limiter.consume('key', 8)?.remaining).toBe(2);
  expect(limiter.consume('key', 3)).toMatchObject({ isAllowed: false, remaining: 2 });
  expect(limiter.consume('key', 2)?.isAllowed).toBe(true);
  expect(limiter.consume('worth more than all', 50)).toMatchObject({ isAllowed: true, remaining: 0 });
});

test('an amount above the limit may have been consumed in part before', () => {
  const limiter = open({ limit: 10 });
  limiter.consume('key', 1);
  expect(limiter.consume('key', 49, 1)).toMatchObject({ isAllowed: true, remaining: 0 });
  limiter.consume('another', 2);
  expect(limiter.consume('another', 49, 1)).toMatchObject({ isAllowed: false, remaining: 8 });
});

test('a process learns the shared count with its own next request', async () => {
  const name = uniquePrefix();
  const [one, other] = [open({ name }), open({ name })];
  expect(countAllowed(one, 10)).toBe(10);
  const key = `${shared.prefix}:${name}:key`;
  await waitUntil('Redis has the count', async () => (await shared.redis().get(key)) === '10');
  expect(other.consume('key')?.isAllowed).toBe(true);
  await waitUntil('the other process has the shared count', () => other.isExhausted('key'));
  expect(other.consume('key')?.isAllowed).toBe(false);
});

test('a window that has ended is followed by a new one', async () => {
  const limiter = open({ limit: 2, seconds: 1 });
  expect(consumeMany(limiter, 3)).toEqual([true, true, false]);
  await waitUntil('the window has ended', () => !limiter.isExhausted('key'));
  expect(consumeMany(limiter, 1)).toEqual([true]);
});

test('while Redis is unavailable each process allows its share, rounded up', async () => {
  const limiter = open({ redis: away, limit: 10, processes: 4 });
  limiter.consume('first');
  await waitUntil('the limiter has noticed the outage', () => limiter.consume('probe')?.limit === 3);
  expect(countAllowed(limiter, 10)).toBe(3);
});

test('rejected requests are not sent to Redis', async () => {
  const name = uniquePrefix();
  const limiter = open({ name, limit: 5 });
  consumeMany(limiter, 1_000);
  const key = `${shared.prefix}:${name}:key`;
  await waitUntil('Redis has the count', async () => (await shared.redis().get(key)) === '5');
  consumeMany(limiter, 1_000);
  await waitUntil('the count of another key is sent later', async () => {
    limiter.consume('later');
    return (await shared.redis().exists(`${shared.prefix}:${name}:later`)) === 1;
  });
  expect(await shared.redis().get(key)).toBe('5');
});

test('a limit of 0 is no limit', () => {
  const limiter = open({ limit: 0 });
  expect(limiter.consume('key')).toBeUndefined();
  expect(limiter.isExhausted('key')).toBe(false);
});

test('a key can be exhausted only while the limiter says that one may be', async () => {
  const name = uniquePrefix();
  const [one, other] = [open({ name, limit: 3, seconds: 1 }), open({ name, limit: 3, seconds: 1 })];
  expect(consumeMany(one, 2)).toEqual([true, true]);
  expect([one.isExhausted('key'), one.mayBeExhausted()]).toEqual([false, false]);
  one.consume('key');
  expect([one.isExhausted('key'), one.mayBeExhausted()]).toEqual([true, true]);
  // The other process learns it from Redis.
  await waitUntil(
    'Redis has the count',
    async () => (await shared.redis().get(`${shared.prefix}:${name}:key`)) === '3',
  );
  other.consume('key');
  await waitUntil('the other process has the shared count', () => other.isExhausted('key'));
  expect(other.mayBeExhausted()).toBe(true);
  await waitUntil('the window ends', () => !one.mayBeExhausted());
  expect(one.isExhausted('key')).toBe(false);
});
