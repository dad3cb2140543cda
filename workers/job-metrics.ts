import { durationHistogram, type Metric } from '../src/metrics/prometheus.ts';
import type { JobName } from '../src/queues/jobs.ts';

/** The outcome of an attempt at a job; an interrupted job returns to its queue when its worker shuts down. */
export type JobOutcome = 'completed' | 'failed' | 'interrupted';

export type JobMetrics = ReturnType<typeof createJobMetrics>;

/** In seconds: a flush takes milliseconds, an import up to an hour. */
const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800];

/** The durations of the jobs of this process, by queue and outcome. */
export function createJobMetrics() {
  const durations = durationHistogram(
    'job_duration_seconds',
    'Duration of each attempt at a job, by queue and outcome',
    ['queue', 'outcome'],
    buckets,
  );
  return {
    observe: (queue: JobName, outcome: JobOutcome, seconds: number): void =>
      durations.observe({ queue, outcome }, seconds),
    read: async (): Promise<Metric[]> => [await durations.read()],
  };
}
