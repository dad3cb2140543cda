import { type Job, UnrecoverableError, WaitingError, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { type JobData, type JobName, jobs, queuePrefix } from '../src/jobs.ts';
import type { Log } from '../src/log.ts';
import { isRedisUnavailable } from '../src/redis.ts';
import type { Processors, Summary } from './processor.ts';

/** A killed worker's job runs again after about `lockDuration` plus `stalledInterval`. */
const lockDurationMs = 10_000;
const stalledIntervalMs = 5_000;
/** Times that a job may lose its worker, to a deploy for instance, before it counts as failed. */
const maxStalledCount = 5;

const neverAborted = new AbortController().signal;

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
  // Without a default value: BullMQ counts the parameters to see whether a signal is wanted.
  const run = async (job: Job<JobData[Name], Summary>, token?: string, given?: AbortSignal) => {
    const signal = given ?? neverAborted;
    const summary = await processors[name](readData(name, job.data), {
      reportProgress: async (percent) => await job.updateProgress(percent),
      signal,
    });
    if (!signal.aborted || summary['interrupted'] !== true) return summary;
    // Whoever takes it next goes on where this worker stopped.
    await job.moveToWait(token);
    throw new WaitingError();
  };
  const worker = new Worker<JobData[Name], Summary>(name, run, {
    connection: redis,
    prefix: queuePrefix(redisPrefix, name),
    lockDuration: lockDurationMs,
    stalledInterval: stalledIntervalMs,
    maxStalledCount,
    metrics: { maxDataPoints: 24 * 60 },
  });
  worker.on('error', (error) => {
    // An unreachable Redis is the connection's to report.
    if (!isRedisUnavailable(error)) log.error({ err: error, queue: name }, 'worker error');
  });
  worker.on('failed', (job, error) => log.warn({ err: error, job: job?.id, queue: name }, 'job failed'));
  worker.on('stalled', (job) => log.warn({ job, queue: name }, 'job lost its worker and runs again'));
  worker.on('completed', (job, summary) => log.debug({ job: job.id, queue: name, summary }, 'job done'));
  return worker;
}

/** The data of a job, which somebody may have typed into Bull Board: a job with wrong data fails for good. */
function readData<Name extends JobName>(name: Name, data: unknown): JobData[Name] {
  const parsed = jobs[name].data.safeParse(data);
  if (parsed.success) return parsed.data as JobData[Name];
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`.trim());
  throw new UnrecoverableError(`the data is not usable: ${problems.join('; ')}`);
}

/** Lets each Worker end the slice in hand; what is left of its job waits for another worker. Never resolves while Redis
 *  is away, which is when jobs are left to their locks' end. */
export async function stopWorkers(workers: Worker[]): Promise<void> {
  for (const worker of workers) worker.cancelAllJobs('the worker is shutting down');
  await Promise.all(workers.map((worker) => worker.close()));
}
