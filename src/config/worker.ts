import { z } from 'zod';
import { wholeNumberText } from '../whole-number.ts';
import { common, endpoint } from './common.ts';

/** Settings of the worker process (`workers/main.ts`) and of jobs run by hand (`workers/job.ts`). */
export const workerSettings = z.object({
  ...common,
  ...endpoint,
  WORKER_PORT: wholeNumberText(0, 65_535)
    .optional()
    .describe('Port of the health and metrics endpoint of a worker; no endpoint unless set'),
  RETENTION_DAYS: wholeNumberText(0, 36_500)
    .default(30)
    .describe('How long a deleted or expired short URL is kept before it is purged'),
  CODE_QUARANTINE_DAYS: wholeNumberText(0, 36_500)
    .default(90)
    .describe('How long the generated code of a purged short URL rests before it is used again'),
  TRANSFER_RETENTION_DAYS: wholeNumberText(1, 3_650)
    .default(7)
    .describe('How long finished imports with their errors, and exports with their files, are kept'),
  ANALYTICS_RETENTION_DAYS: wholeNumberText(1, 36_500)
    .default(90)
    .describe('How long single clicks are kept, days of UTC; roll-ups stay for ever'),
  WARM_CACHE_URLS: wholeNumberText(0, 1_000_000)
    .default(10_000)
    .describe('Most clicked short URLs that a warm-up puts in the cache'),
  WARM_CACHE_PER_SECOND: wholeNumberText(100, 100_000)
    .default(5_000)
    .describe('Short URLs that a warm-up writes per second at most'),
});

export type WorkerConfig = Readonly<z.infer<typeof workerSettings>>;
