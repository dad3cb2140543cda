import { setTimeout as delay } from 'node:timers/promises';

/** Time after which a wait is reported, and the interval of further reports. */
const firstReportMs = 2_000;
const reportEveryMs = 30_000;

/** A run waited longer than allowed for locks of other sessions. */
export class LockTimeoutError extends Error {
  override readonly name = 'LockTimeoutError';
}

export type LockTimeout = ReturnType<typeof createLockTimeout>;

/** Limits the total wait of a run for locks to `waitMs`, and reports long waits. */
export function createLockTimeout(waitMs: number, report: (line: string) => void) {
  const end = performance.now() + waitMs;
  let waitingSince: number | undefined;
  let nextReport = 0;

  return {
    /** Waits for `ms`; throws LockTimeoutError once the limit is reached. `describe` is called when a report is due. */
    async wait(ms: number, cause: string, describe: () => Promise<string>): Promise<void> {
      const now = performance.now();
      if (now >= end) throw new LockTimeoutError(`${cause}, still after ${Math.round(waitMs / 1_000)} s`);
      if (waitingSince === undefined) {
        waitingSince = now;
        nextReport = now + firstReportMs;
      }
      if (now >= nextReport) {
        report(await describe());
        nextReport = now + reportEveryMs;
      }
      await delay(Math.min(ms, end - now));
    },

    /** Ends the current wait. */
    reset(): void {
      waitingSince = undefined;
    },
  };
}
