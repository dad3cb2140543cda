import { expect, test } from 'vitest';
import { createBatchLoader } from '../../src/resilience/batch-loader.ts';

/** A gathering whose loads are written down. */
function openGathering(load = async (keys: string[]) => keys.map((key) => `answer to ${key}`)) {
  const loads: string[][] = [];
  const ask = createBatchLoader(async (keys: string[]) => {
    loads.push([...keys]);
    return await load(keys);
  });
  return { ask, loads };
}

test('keys of one turn are loaded together, and each caller gets the value of its key', async () => {
  const { ask, loads } = openGathering();
  const keys = ['b', 'a', 'c', 'a'];
  const atOnce = keys.map(ask);
  const inTheSameTurn = Promise.resolve().then(async () => await ask('d'));
  expect(await Promise.all([...atOnce, inTheSameTurn])).toEqual([
    'answer to b',
    'answer to a',
    'answer to c',
    'answer to a',
    'answer to d',
  ]);
  expect(loads).toEqual([['b', 'a', 'c', 'a', 'd']]);
});

test('keys of a later turn are loaded separately while an earlier load is in progress', async () => {
  let release!: () => void;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const { ask, loads } = openGathering(async (keys) => {
    if (keys.includes('slow')) await released;
    return keys;
  });
  const slow = ask('slow');
  await new Promise(setImmediate);
  expect(await ask('fast')).toBe('fast');
  release();
  expect(await slow).toBe('slow');
  expect(await ask('fast')).toBe('fast');
  expect(loads).toEqual([['slow'], ['fast'], ['fast']]);
});

test('a failed load rejects its own callers, but no later ones', async () => {
  let fails = true;
  const { ask } = openGathering(async (keys) => {
    if (fails) throw new Error('no answer in time');
    return keys;
  });
  const outcomes = await Promise.allSettled([ask('a'), ask('b')]);
  expect(outcomes.map((one) => one.status === 'rejected' && String(one.reason))).toEqual([
    'Error: no answer in time',
    'Error: no answer in time',
  ]);
  fails = false;
  expect(await ask('a')).toBe('a');
});

test('a load that throws synchronously rejects its callers', async () => {
  const ask = createBatchLoader((): Promise<string[]> => {
    throw new Error('no such function');
  });
  await expect(ask('a')).rejects.toThrow('no such function');
});
