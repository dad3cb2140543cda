import type { JobsOptions } from 'bullmq';
import { z } from 'zod';
import { wholeNumber } from '../validation/integer.ts';
import { plainText, storedText } from '../validation/text.ts';

/** Settings that schedules depend on. */
export interface ScheduleSettings {
  clickShards: number;
}

export interface Schedule {
  id: string;
  everyMs: number;
  data: object;
}

interface JobDefinition {
  /** Shown in Bull Board, in the API and by `npm run job`. */
  description: string;
  /** The data of the job, validated before it runs. */
  data: z.ZodType<object>;
  schedules: (settings: ScheduleSettings) => Schedule[];
  options: JobsOptions;
  /** Jobs that one worker process runs at once; 1 by default. */
  concurrency?: number;
  /** The scope that running it over the API needs in addition to `jobs:run`. */
  scope?: 'urls:write';
}

const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;

const retries = (attempts: number): JobsOptions => ({
  attempts,
  backoff: { type: 'exponential', delay: secondMs },
});

/** The catalogue of background jobs: data, schedules and options. A job has the name of its queue and of its file in a folder of `workers/jobs`. */
export const jobs = {
  'replenish-keys': {
    description: 'Fills the key pool up to its target.',
    data: z.strictObject({ target: wholeNumber(1, 10_000_000).optional() }),
    schedules: () => [{ id: 'replenish-keys', everyMs: minuteMs, data: {} }],
    options: retries(5),
  },
  'flush-clicks': {
    description: 'Flushes the clicks of one shard, or of all shards, to PostgreSQL.',
    data: z.strictObject({ shard: wholeNumber(0, 63).optional() }),
    schedules: ({ clickShards }) =>
      Array.from({ length: clickShards }, (_, shard) => ({
        id: `flush-clicks-${shard}`,
        everyMs: secondMs,
        data: { shard },
      })),
    // The next tick is the retry. With one job per second the usual history would cover only a few minutes.
    options: { attempts: 1, removeOnComplete: { count: 4_000, age: hourMs / secondMs } },
  },
  'roll-up-clicks': {
    description:
      'Rolls up counted clicks by day and value: after an hour, after half a million clicks or, with "always", at once.',
    data: z.strictObject({ always: z.boolean('must be true or false').optional() }),
    schedules: () => [{ id: 'roll-up-clicks', everyMs: 10 * secondMs, data: {} }],
    // The next run is the retry.
    options: { attempts: 1 },
  },
  'cleanup-expired': {
    description:
      'Disables expired short URLs, purges those past their retention, and deletes old idempotency keys.',
    data: z.strictObject({}),
    schedules: () => [{ id: 'cleanup-expired', everyMs: minuteMs, data: {} }],
    options: retries(3),
  },
  'cleanup-ledger': {
    description: 'Removes idle producers (former web processes) from the ledger.',
    data: z.strictObject({}),
    schedules: () => [{ id: 'cleanup-ledger', everyMs: 24 * hourMs, data: {} }],
    options: retries(3),
  },
  'maintain-analytics': {
    description:
      'Creates partitions of the analytics, drops expired ones, and deletes the analytics of purged short URLs.',
    data: z.strictObject({}),
    schedules: () => [{ id: 'maintain-analytics', everyMs: hourMs, data: {} }],
    options: retries(3),
  },
  'warm-cache': {
    description: 'Warms up the Redis cache with the most clicked short URLs.',
    data: z.strictObject({ limit: wholeNumber(1, 1_000_000).optional() }),
    // `every` fires at once when the scheduler is new; each worker adds another job when it starts.
    schedules: () => [{ id: 'warm-cache', everyMs: hourMs, data: {} }],
    options: retries(3),
  },
  'reconcile-cache': {
    description:
      'Refreshes the cache entries of short URLs that changed since the last run or, with "all", every entry.',
    data: z.strictObject({ all: z.boolean('must be true or false').optional() }),
    schedules: () => [{ id: 'reconcile-cache', everyMs: minuteMs, data: {} }],
    options: retries(3),
  },
  'import-urls': {
    description: 'Runs one import, or all waiting imports.',
    data: z.strictObject({ id: wholeNumber(1).optional() }),
    schedules: () => [{ id: 'import-urls', everyMs: minuteMs, data: {} }],
    options: retries(5),
  },
  'export-urls': {
    description: 'Runs one export, or all waiting exports.',
    data: z.strictObject({ id: wholeNumber(1).optional() }),
    schedules: () => [{ id: 'export-urls', everyMs: minuteMs, data: {} }],
    options: retries(5),
  },
  'fill-search-texts': {
    description: 'Fills the search texts of short URLs that another program or an older version wrote.',
    data: z.strictObject({}),
    schedules: () => [{ id: 'fill-search-texts', everyMs: minuteMs, data: {} }],
    options: retries(3),
  },
  'summarise-urls': {
    description:
      'Keeps the counts by tag and host and the most clicked short URLs, for lists of more than 100,000 short URLs.',
    data: z.strictObject({ always: z.boolean('must be true or false').optional() }),
    schedules: () => [{ id: 'summarise-urls', everyMs: minuteMs, data: {} }],
    // The next run is the retry.
    options: { attempts: 1 },
  },
  'rename-tag': {
    description: 'Renames a tag on all short URLs or, without a name, removes it.',
    data: z.strictObject({
      tag: plainText(200).min(1, 'must not be empty'),
      name: storedText({ max: 50 }).nullish(),
      created_by: wholeNumber(1).nullish(),
    }),
    schedules: () => [],
    options: retries(5),
    scope: 'urls:write',
  },
  'fetch-title': {
    description: 'Gives a short URL without a title that of its page, if FETCH_TITLES is set.',
    data: z.strictObject({ id: wholeNumber(1) }),
    schedules: () => [],
    // Pages are slow, and not tried again: only a failure of PostgreSQL is.
    options: retries(3),
    concurrency: 4,
    scope: 'urls:write',
  },
  'cleanup-transfers': {
    description: 'Deletes the files of finished imports, aborted uploads, and old imports and exports.',
    data: z.strictObject({}),
    schedules: () => [{ id: 'cleanup-transfers', everyMs: hourMs, data: {} }],
    options: retries(3),
  },
  audit: {
    description: 'Compares accepted clicks, ledger, counters, roll-ups and click events; changes nothing.',
    data: z.strictObject({}),
    schedules: () => [],
    options: { attempts: 1 },
  },
} as const satisfies Record<string, JobDefinition>;

export type JobName = keyof typeof jobs;
export type JobData = { [Name in JobName]: z.infer<(typeof jobs)[Name]['data']> };

export const jobNames = Object.keys(jobs) as JobName[];
export const isJobName = (text: string): text is JobName => Object.hasOwn(jobs, text);

/** How many finished jobs are kept, and for how long, in seconds. */
const history: JobsOptions = {
  removeOnComplete: { count: 200, age: hourMs / secondMs },
  removeOnFail: { count: 1_000, age: (7 * 24 * hourMs) / secondMs },
};

/** The BullMQ options of a job: attempts, and how long it is kept after it has finished. */
export const jobOptionsOf = (name: JobName): JobsOptions => ({ ...history, ...jobs[name].options });

/** Jobs of a queue that one worker process runs at once. */
export const concurrencyOf = (name: JobName): number => (jobs[name] as JobDefinition).concurrency ?? 1;

/** The scope that running a job over the API needs in addition to `jobs:run`, if any. */
export const scopeOfJob = (name: JobName): JobDefinition['scope'] => (jobs[name] as JobDefinition).scope;
