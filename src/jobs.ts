import { type Job, type JobsOptions, Queue, type QueueOptions } from 'bullmq';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { withDeadline } from './lifecycle.ts';
import type { Log } from './log.ts';
import { isRedisUnavailable } from './redis.ts';

/** What a job's schedule depends on. */
export interface ScheduleSettings {
  clickShards: number;
}

interface Schedule {
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
    data: z.strictObject({ target: z.int().min(1).max(10_000_000).optional() }),
    schedules: () => [{ id: 'replenish-keys', everyMs: minuteMs, data: {} }],
    options: retries(5),
  },
  'flush-clicks': {
    description: 'Moves the waiting clicks of one shard, or of all, into PostgreSQL.',
    data: z.strictObject({ shard: z.int().min(0).max(63).optional() }),
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
    description: 'Disables expired short URLs and purges those past their retention.',
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
    data: z.strictObject({ limit: z.int().min(1).max(1_000_000).optional() }),
    // `every` fires at once where the scheduler is new; each worker adds another at its start.
    schedules: () => [{ id: 'warm-cache', everyMs: hourMs, data: {} }],
    options: retries(3),
  },
  'reconcile-cache': {
    description:
      'Repairs what the cache was not told of, since the last time or, with "all", of all that it has.',
    data: z.strictObject({ all: z.boolean().optional() }),
    schedules: () => [{ id: 'reconcile-cache', everyMs: minuteMs, data: {} }],
    options: retries(3),
  },
  'import-urls': {
    description: 'Works through the file of one import, or of each that waits.',
    data: z.strictObject({ id: z.int().min(1).optional() }),
    schedules: () => [{ id: 'import-urls', everyMs: minuteMs, data: {} }],
    options: retries(5),
  },
  'export-urls': {
    description: 'Writes the file of one export, or of each that waits.',
    data: z.strictObject({ id: z.int().min(1).optional() }),
    schedules: () => [{ id: 'export-urls', everyMs: minuteMs, data: {} }],
    options: retries(5),
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

/** How a queue's keys begin. One hash tag per queue, so that each lives on one node of a Redis Cluster. */
export const queuePrefix = (redisPrefix: string, name: JobName) => `{${redisPrefix}:${name}}`;

const optionsOf = (name: JobName): JobsOptions => ({ ...history, ...jobs[name].options });

/** Ids that BullMQ gives, to jobs and to those of schedulers. Other text would name one of the queue's own keys. */
export const jobIdPattern = /^(\d{1,20}|repeat:[\w-]{1,100}:\d{1,20})$/;

/** A job that is delayed counts as due this long after its time: a worker wakes for it within that. */
const dueAfterMs = 1_000;

/** BullMQ orders its delayed jobs by their time in ms times this, so that those of one ms keep their order. */
const delayedScoresPerMs = 0x1000;

/** Longest time that adding or reading a job may take; BullMQ itself would wait for Redis for ever. */
const queueDeadlineMs = 2_000;

/** Redis cannot take or show jobs right now. */
export class QueueUnavailable extends Error {
  override readonly name = 'QueueUnavailable';
}

export type Queues = ReturnType<typeof createQueues>;

/** One queue per kind of job. `redis` is a connection of the role "producer". */
export function createQueues(redis: Redis, redisPrefix: string, log: Log) {
  const queues = Object.fromEntries(jobNames.map((name) => [name, openQueue(name)])) as Record<
    JobName,
    Queue
  >;

  function openQueue(name: JobName): Queue {
    const options: QueueOptions = {
      connection: redis,
      prefix: queuePrefix(redisPrefix, name),
      defaultJobOptions: optionsOf(name),
    };
    const queue = new Queue(name, options);
    queue.on('error', (error) => {
      // An unreachable Redis is the connection's to report.
      if (!isRedisUnavailable(error)) log.error({ err: error, queue: name }, 'queue error');
    });
    return queue;
  }

  async function inTime<T>(operation: () => Promise<T>): Promise<T> {
    const unavailable = (cause?: unknown) =>
      new QueueUnavailable('the job queues are not reachable', { cause });
    if (redis.status !== 'ready') throw unavailable();
    try {
      return await withDeadline(operation(), queueDeadlineMs, () => {
        throw unavailable();
      });
    } catch (error) {
      throw isRedisUnavailable(error) ? unavailable(error) : error;
    }
  }

  async function add<Name extends JobName>(
    name: Name,
    data: JobData[Name],
    deduplicationId?: string,
  ): Promise<string> {
    const options =
      deduplicationId === undefined ? {} : { deduplication: { id: deduplicationId, keepLastIfActive: true } };
    const job = await inTime(() => queues[name].add(name, data, options));
    return String(job.id);
  }

  /** Jobs that are being asked for. */
  const asking = new Set<JobName>();

  return {
    /** Whether Redis is there right now. */
    get reachable(): boolean {
      return redis.status === 'ready';
    },

    /** Every queue, for Bull Board. */
    all: jobNames.map((name) => queues[name]),

    /** Adds a job. With a `deduplicationId`, one that waits under the same id stands for this one too, and one that runs is
     *  followed by one more. Throws QueueUnavailable. */
    add,

    /** Asks for a job, without data, where Redis takes it now: whoever asks has no need to know, and a schedule besides. */
    ask(name: JobName): void {
      if (asking.has(name)) return;
      asking.add(name);
      add(name, {}, 'asked')
        .catch((error: unknown) => log.debug({ err: error, queue: name }, 'could not ask for a job'))
        .finally(() => asking.delete(name));
    },

    /** A job with its state, or undefined when it is unknown or no longer kept. Throws QueueUnavailable. */
    async find(name: JobName, id: string): Promise<{ job: Job; state: string } | undefined> {
      if (!jobIdPattern.test(id)) return undefined;
      return await inTime(async () => {
        // The state first: what is completed by then has its result when it is read.
        const state = await queues[name].getJobState(id);
        const job = await queues[name].getJob(id);
        return job && { job, state };
      });
    },

    /** Whether somebody has paused this queue. Throws QueueUnavailable. */
    async isPaused(name: JobName): Promise<boolean> {
      return await inTime(async () => await queues[name].isPaused());
    },

    /** The id of the job that a worker with room would take next, where one is due: it waits, or its time has come, and nobody
     *  has paused the queue or limited how many run at once. Throws QueueUnavailable. */
    async findDueJob(name: JobName): Promise<string | undefined> {
      const queue = queues[name];
      return await inTime(async () => {
        const latest = String((Date.now() - dueAfterMs) * delayedScoresPerMs);
        const [heldBack, waiting, [prioritized], [overdue]] = await Promise.all([
          Promise.all([queue.isPaused(), queue.isMaxed()]),
          redis.lindex(queue.toKey('wait'), '-1'),
          redis.zrange(queue.toKey('prioritized'), '0', '0'),
          redis.zrange(queue.toKey('delayed'), '-inf', latest, 'BYSCORE', 'LIMIT', 0, 1),
        ]);
        return heldBack.includes(true) ? undefined : (waiting ?? prioritized ?? overdue);
      });
    },

    /** Makes sure that each scheduler of these jobs exists; safe to repeat, and by several processes at once. */
    async upsertSchedules(names: JobName[], settings: ScheduleSettings): Promise<void> {
      for (const name of names) {
        const schedules: Schedule[] = jobs[name].schedules(settings);
        for (const { id, everyMs, data } of schedules) {
          await inTime(() =>
            queues[name].upsertJobScheduler(id, { every: everyMs }, { name, data, opts: optionsOf(name) }),
          );
        }
      }
    },

    /** Whether each scheduler of these jobs exists. Throws QueueUnavailable. */
    async hasSchedules(names: JobName[], settings: ScheduleSettings): Promise<boolean> {
      const counts = await inTime(() =>
        Promise.all(names.map((name) => queues[name].getJobSchedulersCount())),
      );
      return names.every((name, i) => (counts[i] ?? 0) >= jobs[name].schedules(settings).length);
    },
  };
}
