import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { JobName } from './jobs.ts';

/** BullMQ multiplies the time of a delayed job, in ms, by this factor for its score, so that jobs of the same ms keep their order. */
export const delayedScoresPerMs = 0x1000;

/** The state of a queue. */
export interface QueueState {
  queue: JobName;
  /** Jobs by state. Failed jobs are kept for a week. */
  jobs: Record<'waiting' | 'active' | 'delayed' | 'failed', number>;
  isPaused: boolean;
  /** How long the oldest waiting job has been due; 0 without one. */
  oldestMs: number;
}

/** Reads the state of the queue with this name. */
export async function readQueueState(name: JobName, queue: Queue, redis: Redis): Promise<QueueState> {
  const [counts, first, [, delayedScore], isPaused] = await Promise.all([
    queue.getJobCounts('waiting', 'prioritized', 'active', 'delayed', 'failed'),
    // The first of each of these states.
    queue.getJobs(['waiting', 'prioritized'], 0, 0, true),
    redis.zrange(queue.toKey('delayed'), '0', '0', 'WITHSCORES'),
    queue.isPaused(),
  ]);
  const count = (state: string) => counts[state] ?? 0;
  const waiting = count('waiting') + count('prioritized');
  const [active, delayed, failed] = [count('active'), count('delayed'), count('failed')];
  const now = Date.now();
  // A retried job has been due since its last attempt.
  const dueForMs = first.map(
    ({ timestamp, opts, processedOn = 0 }) => now - Math.max(timestamp + (opts.delay ?? 0), processedOn),
  );
  if (delayedScore !== undefined) dueForMs.push(now - Number(delayedScore) / delayedScoresPerMs);
  return {
    queue: name,
    jobs: { waiting, active, delayed, failed },
    isPaused,
    oldestMs: Math.max(0, ...dueForMs),
  };
}
