import { afterEach, expect, test } from 'vitest';
import { createPoller, type Poller } from '../../src/resilience/poller.ts';
import { waitUntil } from '../support/wait-until.ts';

const hourMs = 3_600_000;
let poller: Poller | undefined;

afterEach(() => void poller?.stop());

/** A poller whose runs the test ends, and what it reported. */
function open(everyMs: number) {
  const state = { runs: 0, failures: [] as number[], recoveries: 0 };
  let end: (error?: Error) => void = () => undefined;
  poller = createPoller({
    everyMs,
    run: async () => {
      state.runs += 1;
      await new Promise<void>((resolve, reject) => {
        end = (error) => (error ? reject(error) : resolve());
      });
    },
    onFailure: (_error, failures) => void state.failures.push(failures),
    onRecovery: () => (state.recoveries += 1),
  });
  const { poll, stop } = poller;
  const runOnce = async (error?: Error) => {
    const polled = poll();
    end(error);
    await polled;
  };
  return { state, poll, stop, runOnce, end: (error?: Error) => end(error) };
}

test('timed runs never overlap', async () => {
  const { state, end } = open(5);
  await waitUntil('the first run begins', () => state.runs === 1);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(state.runs).toBe(1);
  end();
  await waitUntil('the second run begins', () => state.runs === 2);
  end();
});

test('a poll during a run joins it', async () => {
  const { state, poll, end } = open(hourMs);
  const polled = [poll(), poll()];
  end();
  await Promise.all(polled);
  expect(state.runs).toBe(1);
});

test('each failure is reported with its count, and the recovery once', async () => {
  const { state, runOnce } = open(hourMs);
  await runOnce();
  await runOnce(new Error('unavailable'));
  await runOnce(new Error('unavailable'));
  expect(state).toMatchObject({ failures: [1, 2], recoveries: 0 });
  await runOnce();
  await runOnce();
  await runOnce(new Error('unavailable'));
  expect(state).toEqual({ runs: 6, failures: [1, 2, 1], recoveries: 1 });
});

test('polling continues after failures', async () => {
  const { state, end } = open(5);
  for (let runs = 1; runs <= 3; runs++) {
    await waitUntil('the next run begins', () => state.runs === runs);
    end(new Error('unavailable'));
  }
  await waitUntil('three failures are reported', () => state.failures.length === 3);
});

test('stopping waits for the run in progress and starts no other', async () => {
  const { state, poll, stop, end } = open(5);
  void poll();
  let isStopped = false;
  const stopping = stop().then(() => (isStopped = true));
  await new Promise((resolve) => setImmediate(resolve));
  expect(isStopped).toBe(false);
  end(new Error('unavailable'));
  await stopping;
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(state).toEqual({ runs: 1, failures: [], recoveries: 0 });
});

test('the interval may depend on the last run', async () => {
  let intervalMs = 5;
  let runs = 0;
  poller = createPoller({
    everyMs: () => intervalMs,
    run: async () => {
      runs += 1;
      intervalMs = hourMs;
    },
    onFailure: () => undefined,
  });
  await waitUntil('the first run begins', () => runs === 1);
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(runs).toBe(1);
});
