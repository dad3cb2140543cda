import { type Job, Queue, type QueueOptions } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Log } from '../log.ts';
import { repeatedWarningsOf } from '../resilience/repeated-warnings.ts';
import { withDeadline } from '../resilience/shutdown.ts';
import { bullmqOptions } from '../storage/redis/bullmq-options.ts';
import { isRedisUnavailable, isRedisUnreachable } from '../storage/redis/errors.ts';
import {
  type JobData,
  type JobName,
  jobNames,
  jobs,
  jobOptionsOf,
  type Schedule,
  type ScheduleSettings,
} from './jobs.ts';

/** How a queue's keys begin. One hash tag per queue, so that each lives on one node of a Redis Cluster. */
export const queuePrefix = (redisPrefix: string, name: JobName) => `{${redisPrefix}:${name}}`;

/** Ids that BullMQ gives, to jobs and to those of schedulers. Other text would name one of the queue's own keys. */
export const jobIdPattern = /^(\d{1,20}|repeat:[\w-]{1,100}:\d{1,20})$/;

/** A job that is delayed counts as due this long after its time: a worker wakes for it within that. */
const dueAfterMs = 1_000;

/** BullMQ orders its delayed jobs by their time in ms times this, so that those of one ms keep their order. */
const delayedScoresPerMs = 0x1000;

/** Longest time that adding or reading a job may take; BullMQ itself would wait for Redis for ever. */
const queueDeadlineMs = 2_000;

/** How a queue stands. */
export interface QueueState {
  queue: JobName;
  /** Jobs by state; failed ones are kept for a week, so that somebody can look at them. */
  jobs: Record<'waiting' | 'active' | 'delayed' | 'failed', number>;
  /** Whether the queue is paused, so that its jobs wait. */
  isPaused: boolean;
  /** How long the job that waits for the longest time has been due; 0 where none is. */
  oldestMs: number;
}

/** Redis cannot take or show jobs right now. */
export class QueueUnavailable extends Error {
  override readonly name = 'QueueUnavailable';
}

export type Queues = ReturnType<typeof createQueues>;

/** One queue per kind of job. `redis` is a connection of the role "producer". */
export function createQueues(redis: Redis, redisPrefix: string, log: Log) {
  const warnings = repeatedWarningsOf(log);
  const queues = Object.fromEntries(jobNames.map((name) => [name, openQueue(name)])) as Record<
    JobName,
    Queue
  >;

  function openQueue(name: JobName): Queue {
    const options: QueueOptions = {
      ...bullmqOptions(),
      connection: redis,
      prefix: queuePrefix(redisPrefix, name),
      defaultJobOptions: jobOptionsOf(name),
    };
    const queue = new Queue(name, options);
    queue.on('error', (error) => {
      // The connection reports an unreachable Redis.
      if (!isRedisUnreachable(error)) warnings.warn('queues', { err: error, queue: name }, 'queue failed');
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

  async function readState(queue: JobName): Promise<QueueState> {
    const [counts, first, [, delayedScore], isPaused] = await Promise.all([
      queues[queue].getJobCounts('waiting', 'prioritized', 'active', 'delayed', 'failed'),
      // The first of each of these states.
      queues[queue].getJobs(['waiting', 'prioritized'], 0, 0, true),
      redis.zrange(queues[queue].toKey('delayed'), '0', '0', 'WITHSCORES'),
      queues[queue].isPaused(),
    ]);
    const count = (state: string) => counts[state] ?? 0;
    const waiting = count('waiting') + count('prioritized');
    const [active, delayed, failed] = [count('active'), count('delayed'), count('failed')];
    const now = Date.now();
    // One that is tried again has been due since its last attempt at most.
    const dueForMs = first.map(
      ({ timestamp, opts, processedOn = 0 }) => now - Math.max(timestamp + (opts.delay ?? 0), processedOn),
    );
    if (delayedScore !== undefined) dueForMs.push(now - Number(delayedScore) / delayedScoresPerMs);
    return {
      queue,
      jobs: { waiting, active, delayed, failed },
      isPaused,
      oldestMs: Math.max(0, ...dueForMs),
    };
  }

  /** Jobs that are being asked for, by name and deduplication id. */
  const asking = new Set<string>();

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

    /** Asks for a job where Redis takes it now: whoever asks has no need to know, and a schedule besides. Of those that are
     *  asked for under the same id, one runs and, where it was asked for meanwhile, one more. */
    ask<Name extends JobName>(name: Name, data: JobData[Name], deduplicationId = 'asked'): void {
      const wanted = `${name} ${deduplicationId}`;
      if (asking.has(wanted)) return;
      asking.add(wanted);
      add(name, data, deduplicationId)
        .catch((error: unknown) => log.debug({ err: error, queue: name, data }, 'could not ask for a job'))
        .finally(() => asking.delete(wanted));
    },

    /** How each queue stands. Throws QueueUnavailable. */
    readStates: async (): Promise<QueueState[]> => await inTime(() => Promise.all(jobNames.map(readState))),

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
            queues[name].upsertJobScheduler(id, { every: everyMs }, { name, data, opts: jobOptionsOf(name) }),
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
