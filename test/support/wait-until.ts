import { setTimeout as delay } from 'node:timers/promises';

const pollMs = 25;

/** Resolves to the first value of `condition` that is neither false nor undefined; fails after `timeoutMs` and says what it
 *  waited for. A condition that throws counts as not met yet. */
export async function waitUntil<T>(
  what: string,
  condition: () => Promise<T | false | undefined> | T | false | undefined,
  timeoutMs = 10_000,
): Promise<T> {
  const end = performance.now() + timeoutMs;
  let lastError: unknown;
  for (;;) {
    try {
      const value = await condition();
      if (value !== false && value !== undefined) return value;
    } catch (error) {
      lastError = error;
    }
    if (performance.now() > end)
      throw new Error(`waited ${timeoutMs} ms in vain: ${what}`, { cause: lastError });
    await delay(pollMs);
  }
}
