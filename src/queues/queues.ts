import { type Job, Queue, type QueueOptions } from 'bullmq';
import type { Log } from '../log.ts';
import { repeatedWarningsOf } from '../resilience/repeated-warnings.ts';
import { withDeadline } from '../resilience/shutdown.ts';
import { bullmqOptions } from '../storage/redis/bullmq-options.ts';
import type { RedisClient } from '../storage/redis/client.ts';
import { isRedisUnavailable, isRedisUnreachable } from '../storage/redis/errors.ts';
import { type FailedJob, type FailurePosition, readFailedJobs } from './failed-jobs.ts';
import {
  type JobData,
  type JobName,
  jobNames,
  jobs,
  jobOptionsOf,
  type Schedule,
  type ScheduleSettings,
} from './jobs.ts';
import { delayedScoresPerMs, dueAfterMs, type QueueState, readQueueStates } from './queue-state.ts';

export type { Job };

/** The prefix of a queue's Redis keys. A hash tag per queue keeps them in one slot of a Redis Cluster. */
export const queuePrefix = (redisPrefix: string, name: JobName) => `{${redisPrefix}:${name}}`;

/** Job ids as BullMQ generates them, also for schedulers. Any other text could name another Redis key of the queue. */
export const jobIdPattern = /^(\d{1,20}|repeat:[\w-]{1,100}:\d{1,20})$/;

/** Time limit for adding and reading a job; BullMQ itself waits for Redis without a limit. */
const queueDeadlineMs = 2_000;

/** Redis is unavailable for the job queues. */
export class QueueUnavailable extends Error {
  override readonly name = 'QueueUnavailable';
}

export type Queues = ReturnType<typeof createQueues>;

/** The job queues, one per kind of job. `redis` is a connection of the role "producer". */
export function createQueues(redis: RedisClient, redisPrefix: string, log: Log) {
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

  /** Requests in flight, by job name and deduplication id. */
  const requested = new Set<string>();

  return {
    /** Whether Redis is connected. */
    get reachable(): boolean {
      return redis.status === 'ready';
    },

    /** Every queue, for Bull Board. */
    all: jobNames.map((name) => queues[name]),

    /** Adds a job and resolves to its id. With a `deduplicationId`, a waiting job of the same id is reused, and a running one is followed by
     *  one more. Throws QueueUnavailable. */
    add,

    /** Requests a job that also has a schedule, without waiting for it or failing. Of the requests with the same id, one runs and, if
     *  another arrived meanwhile, one more. */
    request<Name extends JobName>(name: Name, data: JobData[Name], deduplicationId = 'request'): void {
      const key = `${name} ${deduplicationId}`;
      if (requested.has(key)) return;
      requested.add(key);
      add(name, data, deduplicationId)
        .catch((error: unknown) => log.debug({ err: error, queue: name, data }, 'failed to request a job'))
        .finally(() => requested.delete(key));
    },

    /** The state of each queue, in one round trip. Throws QueueUnavailable. */
    readStates: async (): Promise<QueueState[]> =>
      await inTime(() => readQueueStates(redis, jobNames, (name) => queues[name].toKey(''))),

    /** Up to `limit` failed jobs of a queue, newest first, after a position. Throws QueueUnavailable. */
    readFailures: async (
      name: JobName,
      page: { after: FailurePosition | undefined; limit: number },
    ): Promise<FailedJob[]> => await inTime(() => readFailedJobs(redis, queues[name], page)),

    /** A job with its state; undefined when it does not exist any more. Throws QueueUnavailable. */
    async find(name: JobName, id: string): Promise<{ job: Job; state: string } | undefined> {
      if (!jobIdPattern.test(id)) return undefined;
      return await inTime(async () => {
        // The state first: a job that is completed by then has its result when it is read.
        const state = await queues[name].getJobState(id);
        const job = await queues[name].getJob(id);
        return job && { job, state };
      });
    },

    /** Whether this queue is paused. Throws QueueUnavailable. */
    async isPaused(name: JobName): Promise<boolean> {
      return await inTime(async () => await queues[name].isPaused());
    },

    /** The id of the due job that an idle worker would take next; undefined when none is due, or while the queue is paused or at its
     *  limit of concurrent jobs. Throws QueueUnavailable. */
    async findDueJob(name: JobName): Promise<string | undefined> {
      const queue = queues[name];
      return await inTime(async () => {
        const latest = String((Date.now() - dueAfterMs) * delayedScoresPerMs);
        const [blockers, waiting, [prioritized], [overdue]] = await Promise.all([
          Promise.all([queue.isPaused(), queue.isMaxed()]),
          redis.lindex(queue.toKey('wait'), '-1'),
          redis.zrange(queue.toKey('prioritized'), '0', '0'),
          redis.zrange(queue.toKey('delayed'), '-inf', latest, 'BYSCORE', 'LIMIT', 0, 1),
        ]);
        return blockers.includes(true) ? undefined : (waiting ?? prioritized ?? overdue);
      });
    },

    /** Creates the missing schedulers of these jobs; idempotent, also in several processes at once. */
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

    /** Whether all schedulers of these jobs exist. Throws QueueUnavailable. */
    async hasSchedules(names: JobName[], settings: ScheduleSettings): Promise<boolean> {
      const counts = await inTime(() =>
        Promise.all(names.map((name) => queues[name].getJobSchedulersCount())),
      );
      return names.every((name, i) => (counts[i] ?? 0) >= jobs[name].schedules(settings).length);
    },
  };
}
