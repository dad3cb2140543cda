import { setTimeout as delay } from 'node:timers/promises';
import { isConflict } from './errors.ts';

/** Attempts at a statement or transaction that PostgreSQL rolls back in favour of another one. */
const maxAttempts = 10;
const longestPauseMs = 100;

/** Retries `run` after a deadlock or serialization failure, up to `maxAttempts` times. */
export async function retryConflicts<T>(run: () => Promise<T>): Promise<T> {
  for (let attempts = 1; ; attempts++) {
    try {
      return await run();
    } catch (error) {
      if (attempts === maxAttempts || !isConflict(error)) throw error;
      await delay(Math.random() * Math.min(2 ** attempts, longestPauseMs));
    }
  }
}
