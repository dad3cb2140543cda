import { afterAll, beforeAll, expect, test } from 'vitest';
import { createWindowCounts } from '../../src/rate-limits/fixed-window.ts';
import { createSharedBudgets } from '../../src/rate-limits/shared-budget.ts';
import { openRedis } from '../../src/storage/redis/redis.ts';
import { silentLog, uniquePrefix, useRedis } from '../support/resources.ts';
import { waitUntil } from '../support/wait-until.ts';

const shared = useRedis();
const away = openRedis('cache', 'redis://127.0.0.1:1', silentLog);
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
  createSharedBudgets({
    counts: createWindowCounts({
      redis,
      guard: async (call) => await call(),
      prefix: `${shared.prefix}:${name}`,
      windowSeconds: seconds,
    }),
    limit,
    windowMs: seconds * 1_000,
    processes,
  });

type Budgets = ReturnType<typeof open>;
const takeMany = (budgets: Budgets, count: number, key = 'key') =>
  Array.from({ length: count }, () => budgets.take(key)?.isWithin);
const countWithin = (budgets: Budgets, count: number) =>
  takeMany(budgets, count).filter((isWithin) => isWithin).length;

test('a key gets what its budget has, to the last one, and is told what is left and for how long', () => {
  const budgets = open({ limit: 3 });
  expect(budgets.take('key')).toEqual({
    isWithin: true,
    limit: 3,
    remaining: 2,
    resetsInMs: 60_000,
    windowMs: 60_000,
  });
  expect(takeMany(budgets, 4)).toEqual([true, true, false, false]);
  const refused = budgets.take('key')!;
  expect(refused).toMatchObject({ isWithin: false, limit: 3, remaining: 0 });
  expect(refused.resetsInMs).toBeGreaterThan(0);
  expect(budgets.refused).toBe(3);
  expect(takeMany(budgets, 1, 'another')).toEqual([true]);
});

test('what is worth several takes so many, or nothing where they are not left', () => {
  const budgets = open({ limit: 10 });
  expect(budgets.take('key', 8)?.remaining).toBe(2);
  expect(budgets.take('key', 3)).toMatchObject({ isWithin: false, remaining: 2 });
  expect(budgets.take('key', 2)?.isWithin).toBe(true);
  expect(budgets.take('worth more than all', 50)).toMatchObject({ isWithin: true, remaining: 0 });
});

test('of what is worth more than a whole budget a part may have been taken before', () => {
  const budgets = open({ limit: 10 });
  budgets.take('key', 1);
  expect(budgets.take('key', 49, 1)).toMatchObject({ isWithin: true, remaining: 0 });
  budgets.take('another', 2);
  expect(budgets.take('another', 49, 1)).toMatchObject({ isWithin: false, remaining: 8 });
});

test('a process knows what others have let through once it has let one through itself', async () => {
  const name = uniquePrefix();
  const [one, other] = [open({ name }), open({ name })];
  expect(countWithin(one, 10)).toBe(10);
  const key = `${shared.prefix}:${name}:key`;
  await waitUntil('Redis knows', async () => (await shared.redis().get(key)) === '10');
  expect(other.take('key')?.isWithin).toBe(true);
  await waitUntil('the other knows', () => other.isSpent('key'));
  expect(other.take('key')?.isWithin).toBe(false);
});

test('a window that is over is followed by a fresh one', async () => {
  const budgets = open({ limit: 2, seconds: 1 });
  expect(takeMany(budgets, 3)).toEqual([true, true, false]);
  await waitUntil('the window is over', () => !budgets.isSpent('key'));
  expect(takeMany(budgets, 1)).toEqual([true]);
});

test('while Redis is away each process gives out its share, rounded up', async () => {
  const budgets = open({ redis: away, limit: 10, processes: 4 });
  budgets.take('first');
  await waitUntil('it has noticed', () => budgets.take('probe')?.limit === 3);
  expect(countWithin(budgets, 10)).toBe(3);
});

test('nothing is told of what is refused: a flood costs Redis nothing', async () => {
  const name = uniquePrefix();
  const budgets = open({ name, limit: 5 });
  takeMany(budgets, 1_000);
  const key = `${shared.prefix}:${name}:key`;
  await waitUntil('Redis knows', async () => (await shared.redis().get(key)) === '5');
  takeMany(budgets, 1_000);
  await waitUntil('another key is told later', async () => {
    budgets.take('later');
    return (await shared.redis().exists(`${shared.prefix}:${name}:later`)) === 1;
  });
  expect(await shared.redis().get(key)).toBe('5');
});

test('a limit of 0 is none', () => {
  const budgets = open({ limit: 0 });
  expect(budgets.take('key')).toBeUndefined();
  expect(budgets.isSpent('key')).toBe(false);
});
