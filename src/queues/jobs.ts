import type { JobsOptions } from 'bullmq';
import { z } from 'zod';
import { wholeNumber } from '../validation/integer.ts';

/** What a job's schedule depends on. */
export interface ScheduleSettings {
  clickShards: number;
}

export interface Schedule {
  id: string;
  everyMs: number;
  data: object;
}

interface JobDefinition {
  /** What the job does, for people. */
  description: string;
  /** The data that it carries, checked where it comes from outside. */
  data: z.ZodType<object>;
  schedules: (settings: ScheduleSettings) => Schedule[];
  options: JobsOptions;
}

const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;

const retries = (attempts: number): JobsOptions => ({
  attempts,
  backoff: { type: 'exponential', delay: secondMs },
});

/** The catalogue: each kind of background job with its data, schedule and options. The job's name is its queue's name and
 *  its file's in `workers/`. */
export const jobs = {
  'replenish-keys': {
    description: 'Fills the key pool up to its target.',
    data: z.strictObject({ target: wholeNumber(1, 10_000_000).optional() }),
    schedules: () => [{ id: 'replenish-keys', everyMs: minuteMs, data: {} }],
    options: retries(5),
  },
  'flush-clicks': {
    description: 'Moves the waiting clicks of one shard, or of all, into PostgreSQL.',
    data: z.strictObject({ shard: wholeNumber(0, 63).optional() }),
    schedules: ({ clickShards }) =>
      Array.from({ length: clickShards }, (_, shard) => ({
        id: `flush-clicks-${shard}`,
        everyMs: secondMs,
        data: { shard },
      })),
    // The next tick is the retry. There are so many that the usual history would be a few minutes.
    options: { attempts: 1, removeOnComplete: { count: 4_000, age: hourMs / secondMs } },
  },
  'cleanup-expired': {
    description:
      'Disables expired short URLs, purges those past their retention, and removes old idempotency keys.',
    data: z.strictObject({}),
    schedules: () => [{ id: 'cleanup-expired', everyMs: minuteMs, data: {} }],
    options: retries(3),
  },
  'cleanup-ledger': {
    description: 'Removes web processes from the ledger of which nothing was heard for long.',
    data: z.strictObject({}),
    schedules: () => [{ id: 'cleanup-ledger', everyMs: 24 * hourMs, data: {} }],
    options: retries(3),
  },
  'maintain-analytics': {
    description:
      'Makes and drops partitions of the analytics, and removes figures of short URLs that are gone.',
    data: z.strictObject({}),
    schedules: () => [{ id: 'maintain-analytics', everyMs: hourMs, data: {} }],
    options: retries(3),
  },
  'warm-cache': {
    description: 'Puts the most clicked short URLs in the cache.',
    data: z.strictObject({ limit: wholeNumber(1, 1_000_000).optional() }),
    // `every` fires at once where the scheduler is new; each worker adds another at its start.
    schedules: () => [{ id: 'warm-cache', everyMs: hourMs, data: {} }],
    options: retries(3),
  },
  'reconcile-cache': {
    description:
      'Repairs what the cache was not told of, since the last time or, with "all", of all that it has.',
    data: z.strictObject({ all: z.boolean('must be true or false').optional() }),
    schedules: () => [{ id: 'reconcile-cache', everyMs: minuteMs, data: {} }],
    options: retries(3),
  },
  'import-urls': {
    description: 'Works through the file of one import, or of each that waits.',
    data: z.strictObject({ id: wholeNumber(1).optional() }),
    schedules: () => [{ id: 'import-urls', everyMs: minuteMs, data: {} }],
    options: retries(5),
  },
  'export-urls': {
    description: 'Writes the file of one export, or of each that waits.',
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
  'cleanup-transfers': {
    description: 'Removes the files of imports and exports that are done with.',
    data: z.strictObject({}),
    schedules: () => [{ id: 'cleanup-transfers', everyMs: hourMs, data: {} }],
    options: retries(3),
  },
} as const satisfies Record<string, JobDefinition>;

export type JobName = keyof typeof jobs;
export type JobData = { [Name in JobName]: z.infer<(typeof jobs)[Name]['data']> };

export const jobNames = Object.keys(jobs) as JobName[];
export const isJobName = (text: string): text is JobName => Object.hasOwn(jobs, text);

/** Finished jobs that are kept to be looked at: a bounded number for a bounded time. */
const history: JobsOptions = {
  removeOnComplete: { count: 200, age: hourMs / secondMs },
  removeOnFail: { count: 1_000, age: (7 * 24 * hourMs) / secondMs },
};

/** How often a job of this kind is tried, and how long it is kept. */
export const jobOptionsOf = (name: JobName): JobsOptions => ({ ...history, ...jobs[name].options });
