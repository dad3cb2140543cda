import type { JobContext } from '../../workers/job-context.ts';

/** The context of a job. `reported` is its progress in per cent; `stop` interrupts it. */
export function createJobContext(): JobContext & { reported: number[]; stop: () => void } {
  const reported: number[] = [];
  const interruption = new AbortController();
  return {
    reported,
    stop: () => interruption.abort(),
    signal: interruption.signal,
    reportProgress: async (percent) => {
      reported.push(percent);
    },
  };
}
