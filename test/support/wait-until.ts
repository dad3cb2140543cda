import { setTimeout as delay } from 'node:timers/promises';
import { readSlowness } from './processes/slowness.ts';

const pollMs = 25;

/** Resolves to the first value of `condition` that is neither false nor undefined; fails after `timeoutMs`, which grow with
 *  `readSlowness`, and says what it waited for. A condition that throws counts as not met yet. */
export async function waitUntil<T>(
  what: string,
  condition: () => Promise<T | false | undefined> | T | false | undefined,
  timeoutMs = 10_000,
): Promise<T> {
  const start = performance.now();
  let lastError: unknown;
  for (;;) {
    try {
      const value = await condition();
      if (value !== false && value !== undefined) return value;
    } catch (error) {
      lastError = error;
    }
    const waitedMs = performance.now() - start;
    // The load of the machine may have grown since the start.
    if (waitedMs > timeoutMs && waitedMs > timeoutMs * readSlowness())
      throw new Error(`timed out after ${Math.round(waitedMs)} ms: ${what}`, { cause: lastError });
    await delay(pollMs);
  }
}
