import type { JobContext } from '../../workers/jobs/job-context.ts';

/** What a processor is given by whoever runs it: `reported` is what it has reported, in per cent; after `stop` it is to end. */
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
