import { setTimeout as delay } from 'node:timers/promises';

/** How long a wait lasts before it is reported, and how often it is reported again. */
const firstReportMs = 2_000;
const reportEveryMs = 30_000;

/** A wait for others took longer than allowed. */
export class WaitedTooLong extends Error {
  override readonly name = 'WaitedTooLong';
}

export type Patience = ReturnType<typeof createPatience>;

/** Bounds all waits of one run by `waitMs` in all, and reports those that last. */
export function createPatience(waitMs: number, report: (line: string) => void) {
  const end = performance.now() + waitMs;
  let waitingSince: number | undefined;
  let nextReport = 0;

  return {
    /** Waits for `ms`; throws WaitedTooLong once the time of the run has passed. `describe` is called when a report is due. */
    async wait(ms: number, cause: string, describe: () => Promise<string>): Promise<void> {
      const now = performance.now();
      if (now >= end) throw new WaitedTooLong(`${cause}, still after ${Math.round(waitMs / 1_000)} s`);
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

    /** Ends the present wait. */
    reset(): void {
      waitingSince = undefined;
    },
  };
}
