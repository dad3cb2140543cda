import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { watchEventLoop } from '../../src/resilience/process/event-loop.ts';
import { silentLog } from '../support/resources.ts';
import { waitUntil } from '../support/wait-until.ts';

/** Blocks the event loop of this process. */
function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

test('a process that was stopped once reports no event loop delay', async () => {
  const watch = watchEventLoop({ maxDelayMs: 100, log: silentLog });
  await delay(300);
  block(1_000);
  let most = 0;
  const end = performance.now() + 800;
  await waitUntil('the pressure was sampled for 800 ms', () => {
    most = Math.max(most, watch.pressure);
    return performance.now() > end;
  });
  watch.stop();
  expect(most).toBe(0);
});
