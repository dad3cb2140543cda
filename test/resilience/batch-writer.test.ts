import { expect, test } from 'vitest';
import { createBatchWriter } from '../../src/resilience/batch-writer.ts';
import { waitUntil } from '../support/wait-until.ts';

/** A batch writer whose calls wait until they are released, and fail for some items. */
function openCalls({
  limit = 100,
  fails = () => false,
  isForAll = false,
  concurrency = 1,
}: { limit?: number; fails?: (item: number) => boolean; isForAll?: boolean; concurrency?: number } = {}) {
  const calls: { items: number[]; release: () => void }[] = [];
  const write = createBatchWriter<number, string>({
    run: async (items) => {
      await new Promise<void>((release) => calls.push({ items, release }));
      if (items.some(fails)) throw new Error(`failed for ${items.join()}`);
      return items.map((item) => `result ${item}`);
    },
    isForAll: () => isForAll,
    limit,
    concurrency,
  });
  /** Releases every call until all of these answers are settled. */
  const releaseAll = async (answers: Promise<unknown>[]) => {
    const ended = Promise.allSettled(answers);
    const timer = setInterval(() => calls.forEach(({ release }) => release()));
    return await ended.finally(() => clearInterval(timer));
  };
  return { write, calls, releaseAll };
}

const outcomes = (settled: PromiseSettledResult<unknown>[]) =>
  settled.map((one) => (one.status === 'fulfilled' ? one.value : (one.reason as Error).message));

test('an item without load runs at once; items during a call share the next call', async () => {
  const { write, calls, releaseAll } = openCalls();
  const answers = [1, 2, 3, 4].map(write);
  expect(calls.map(({ items }) => items)).toEqual([[1]]);
  expect(outcomes(await releaseAll(answers))).toEqual(['result 1', 'result 2', 'result 3', 'result 4']);
  expect(calls.map(({ items }) => items)).toEqual([[1], [2, 3, 4]]);
});

test('with a concurrency of two, waiting items share the call after the first that ends', async () => {
  const { write, calls, releaseAll } = openCalls({ concurrency: 2 });
  const answers = [1, 2, 3, 4].map(write);
  expect(calls.map(({ items }) => items)).toEqual([[1], [2]]);
  calls[1]!.release();
  await answers[1];
  await waitUntil('the next call begins', () => calls.length === 3);
  expect(calls[2]!.items).toEqual([3, 4]);
  expect(outcomes(await releaseAll(answers))).toEqual(['result 1', 'result 2', 'result 3', 'result 4']);
});

test('a call contains at most `limit` items', async () => {
  const { write, calls, releaseAll } = openCalls({ limit: 2 });
  await releaseAll([1, 2, 3, 4].map(write));
  expect(calls.map(({ items }) => items)).toEqual([[1], [2, 3], [4]]);
});

test('an item that fails does not fail the others of its call', async () => {
  const { write, releaseAll } = openCalls({ fails: (item) => item === 3 });
  expect(outcomes(await releaseAll([1, 2, 3, 4].map(write)))).toEqual([
    'result 1',
    'result 2',
    'failed for 3',
    'result 4',
  ]);
});

test('a failure for all rejects the waiting items at once, but no later ones', async () => {
  let away = true;
  const { write, calls, releaseAll } = openCalls({ fails: () => away, isForAll: true });
  expect(outcomes(await releaseAll([1, 2, 3].map(write)))).toEqual(Array(3).fill('failed for 1'));
  expect(calls).toHaveLength(1);
  away = false;
  const answer = write(4);
  calls[1]!.release();
  expect(await answer).toBe('result 4');
});
