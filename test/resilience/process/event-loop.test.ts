import { afterEach, expect, test } from 'vitest';
import { watchEventLoop } from '../../../src/resilience/process/event-loop.ts';
import { silentLog } from '../../support/resources.ts';
import { waitUntil } from '../../support/wait-until.ts';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

function openWatch(maxDelayMs: number) {
  const watch = watchEventLoop({ maxDelayMs, log: silentLog });
  closers.push(watch.stop);
  return watch;
}

/** Blocks the event loop of this process. */
function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** Makes every turn of the event loop take `ms` until the returned function is called. */
function blockEachTurn(ms: number): () => void {
  let stopped = false;
  const turn = () => {
    block(ms);
    if (!stopped) setImmediate(turn);
  };
  turn();
  const stop = () => void (stopped = true);
  closers.push(stop);
  return stop;
}

test.each([150, 400])('turns of %i ms cause pressure at a limit of 100 ms until they end', async (ms) => {
  const watch = openWatch(100);
  const stop = blockEachTurn(ms);
  await waitUntil('pressure is measured', () => watch.pressure > 0);
  expect(watch.delayMs).toBeGreaterThan(100);
  stop();
  await waitUntil('the pressure has ended', () => watch.pressure === 0 && watch.delayMs < 100);
});

test('without a limit there is no pressure, but the delay is measured', async () => {
  const watch = openWatch(0);
  blockEachTurn(300);
  await waitUntil('the delay is reported', () => watch.delayMs > 200);
  expect(watch.pressure).toBe(0);
});
