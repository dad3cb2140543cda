import { expect, test } from 'vitest';
import { createBatchLoader } from '../../src/resilience/batch-loader.ts';

/** A batch loader that records the keys of each load. */
function createRecordingLoader(loadMany = async (keys: string[]) => keys.map((key) => `value of ${key}`)) {
  const loads: string[][] = [];
  const load = createBatchLoader(async (keys: string[]) => {
    loads.push([...keys]);
    return await loadMany(keys);
  });
  return { load, loads };
}

test('keys of one turn are loaded together, and each caller gets the value of its key', async () => {
  const { load, loads } = createRecordingLoader();
  const keys = ['b', 'a', 'c', 'a'];
  const atOnce = keys.map(load);
  const inTheSameTurn = Promise.resolve().then(async () => await load('d'));
  expect(await Promise.all([...atOnce, inTheSameTurn])).toEqual([
    'value of b',
    'value of a',
    'value of c',
    'value of a',
    'value of d',
  ]);
  expect(loads).toEqual([['b', 'a', 'c', 'a', 'd']]);
});

test('keys of a later turn are loaded separately while an earlier load is in progress', async () => {
  let release!: () => void;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const { load, loads } = createRecordingLoader(async (keys) => {
    if (keys.includes('slow')) await released;
    return keys;
  });
  const slow = load('slow');
  await new Promise(setImmediate);
  expect(await load('fast')).toBe('fast');
  release();
  expect(await slow).toBe('slow');
  expect(await load('fast')).toBe('fast');
  expect(loads).toEqual([['slow'], ['fast'], ['fast']]);
});

test('a failed load rejects its own callers, but no later ones', async () => {
  let fails = true;
  const { load } = createRecordingLoader(async (keys) => {
    if (fails) throw new Error('no answer in time');
    return keys;
  });
  const outcomes = await Promise.allSettled([load('a'), load('b')]);
  expect(outcomes.map((one) => one.status === 'rejected' && String(one.reason))).toEqual([
    'Error: no answer in time',
    'Error: no answer in time',
  ]);
  fails = false;
  expect(await load('a')).toBe('a');
});

test('a load that throws synchronously rejects its callers', async () => {
  const load = createBatchLoader((): Promise<string[]> => {
    throw new Error('no such function');
  });
  await expect(load('a')).rejects.toThrow('no such function');
});
