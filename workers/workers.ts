import { type Job, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { type JobData, type JobName, queuePrefix } from '../src/jobs.ts';
import type { Log } from '../src/log.ts';
import type { Processors, Summary } from './processor.ts';

/** A killed worker's job runs again after about `lockDuration` plus `stalledInterval`. */
const lockDurationMs = 10_000;
const stalledIntervalMs = 5_000;
/** Times that a job may lose its worker, to a deploy for instance, before it counts as failed. */
const maxStalledCount = 5;

/** Starts one Worker for each of the named queues. `redis` is a connection of the role "worker". */
export function startWorkers(deps: {
  names: JobName[];
  processors: Processors;
  redis: Redis;
  redisPrefix: string;
  log: Log;
}): Worker[] {
  return deps.names.map((name) => startWorker(name, deps));
}

function startWorker<Name extends JobName>(
  name: Name,
  { processors, redis, redisPrefix, log }: Parameters<typeof startWorkers>[0],
): Worker<JobData[Name], Summary> {
  const run = async (job: Job<JobData[Name], Summary>) =>
    await processors[name](job.data, {
      reportProgress: async (progress) => await job.updateProgress(progress.percent),
    });
  const worker = new Worker<JobData[Name], Summary>(name, run, {
    connection: redis,
    prefix: queuePrefix(redisPrefix, name),
    lockDuration: lockDurationMs,
    stalledInterval: stalledIntervalMs,
    maxStalledCount,
    metrics: { maxDataPoints: 24 * 60 },
  });
  worker.on('error', (error) => log.debug({ err: error, queue: name }, 'worker error'));
  worker.on('failed', (job, error) => log.warn({ err: error, job: job?.id, queue: name }, 'job failed'));
  worker.on('stalled', (job) => log.warn({ job, queue: name }, 'job lost its worker and runs again'));
  worker.on('completed', (job, summary) => log.debug({ job: job.id, queue: name, summary }, 'job done'));
  return worker;
}

/** Lets each Worker finish the job in hand. BullMQ sets no limit to that and never ends while Redis is away, so after
 *  `deadlineMs` the rest is left to other workers: their locks end by themselves. */
export async function stopWorkers(workers: Worker[], deadlineMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('a job in hand did not end in time')), deadlineMs);
  });
  try {
    await Promise.race([Promise.all(workers.map((worker) => worker.close())), deadline]);
  } finally {
    clearTimeout(timer);
  }
}
