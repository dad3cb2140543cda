import { z } from 'zod';
import { wholeNumberText } from '../validation/integer.ts';
import { common, endpoint } from './common.ts';

/** Settings of the worker process (`workers/main.ts`) and of jobs run by hand (`workers/run-job.ts`). */
export const workerSettings = z.object({
  ...common,
  ...endpoint,
  WORKER_PORT: wholeNumberText(0, 65_535)
    .optional()
    .describe('Port of the health and metrics endpoint of a worker; without it there is none'),
  WARM_CACHE_URLS: wholeNumberText(0, 1_000_000)
    .default(10_000)
    .describe('Short URLs that a warm-up caches, the most clicked first'),
  WARM_CACHE_PER_SECOND: wholeNumberText(100, 100_000)
    .default(5_000)
    .describe('Short URLs per second that a warm-up caches at most'),
});

export type WorkerConfig = Readonly<z.infer<typeof workerSettings>>;
