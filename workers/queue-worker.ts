import { type Job, UnrecoverableError, WaitingError, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Log } from '../src/log.ts';
import { type JobData, type JobName, jobs } from '../src/queues/jobs.ts';
import { queuePrefix } from '../src/queues/queues.ts';
import { repeatedWarningsOf } from '../src/resilience/repeated-warnings.ts';
import { withDeadline } from '../src/resilience/shutdown.ts';
import { bullmqOptions } from '../src/storage/redis/bullmq-options.ts';
import { isRedisRefusing, isRedisUnreachable } from '../src/storage/redis/errors.ts';
import { closeRedis } from '../src/storage/redis/redis.ts';
import type { JobMetrics, JobOutcome } from './job-metrics.ts';
import type { Processors, Summary } from './jobs/job-context.ts';
import { createPacedBackend, runWhenReady } from './paced-backend.ts';

/** How long a job belongs to a worker that says nothing, and how often jobs are looked for whose time is over: a killed
 *  worker's job runs again after their sum, 2 s later at worst. Taken away too early, a job runs twice, which harms none. */
const lockDurationMs = 5_000;
const stalledIntervalMs = 2_000;
/** Times that a job may lose its worker, to a deploy for instance, before it counts as failed. */
const maxStalledCount = 5;
/** BullMQ waits this long after an error of a connection; its default of 15 s would outlast many an outage. */
const runRetryDelayMs = 1_000;
/** A Worker that knows of no job asks this often whether there is one all the same: after a failure it may have missed the
 *  sign. Well below the time after which a watchdog takes it to stand still. */
const drainDelaySeconds = 2;
/** How long a dropped Worker may take to close before its connection is cut. */
const dropMs = 2_000;

const neverAborted = new AbortController().signal;

export interface WorkerDeps {
  processors: Processors;
  /** Opens a connection of the role "worker". */
  openRedis: () => Redis;
  redisPrefix: string;
  jobMetrics: Pick<JobMetrics, 'observe'>;
  log: Log;
}

/** What a Worker has done so far, which is all that a judgement of it can stand on. */
export interface Activity {
  jobsInHand: number;
  /** Jobs taken, jobs ended, reports of progress. */
  steps: number;
  /** Jobs ended and reports of progress. */
  achievements: number;
  /** Attempts that Redis, full for instance, has answered by refusing. */
  refusals: number;
}

export type RunningWorker = ReturnType<typeof startWorker>;

/** Starts a Worker for one queue, on a connection of its own. */
export function startWorker<Name extends JobName>(name: Name, deps: WorkerDeps) {
  const { processors, jobMetrics, log } = deps;
  const warnings = repeatedWarningsOf(log);
  const activity: Activity = { jobsInHand: 0, steps: 0, achievements: 0, refusals: 0 };
  const achieve = () => {
    activity.steps += 1;
    activity.achievements += 1;
  };

  async function process(job: Job<JobData[Name], Summary>, token: string | undefined, signal: AbortSignal) {
    const summary = await processors[name](readData(name, job.data), {
      reportProgress: async (percent) => {
        achieve();
        await job.updateProgress(percent);
      },
      signal,
    });
    if (!signal.aborted || summary['interrupted'] !== true) return summary;
    // Whoever takes it next goes on where this worker stopped.
    await job.moveToWait(token);
    throw new WaitingError();
  }

  // Without a default value: BullMQ counts the parameters to see whether a signal is wanted.
  const run = async (job: Job<JobData[Name], Summary>, token?: string, signal?: AbortSignal) => {
    activity.jobsInHand += 1;
    activity.steps += 1;
    const begin = performance.now();
    let outcome: JobOutcome = 'completed';
    try {
      return await process(job, token, signal ?? neverAborted);
    } catch (error) {
      outcome = error instanceof WaitingError ? 'interrupted' : 'failed';
      throw error;
    } finally {
      jobMetrics.observe(name, outcome, (performance.now() - begin) / 1_000);
      activity.jobsInHand -= 1;
      achieve();
    }
  };

  const redis = deps.openRedis();
  const options = {
    ...bullmqOptions(),
    autorun: false,
    connection: redis,
    prefix: queuePrefix(deps.redisPrefix, name),
    lockDuration: lockDurationMs,
    stalledInterval: stalledIntervalMs,
    maxStalledCount,
    runRetryDelay: runRetryDelayMs,
    drainDelay: drainDelaySeconds,
    metrics: { maxDataPoints: 24 * 60 },
  };
  const worker = new Worker<JobData[Name], Summary>(name, run, options, createPacedBackend);
  worker.on('error', (error) => {
    if (isRedisRefusing(error)) activity.refusals += 1;
    // The connection reports an unreachable Redis.
    if (!isRedisUnreachable(error))
      warnings.warn('worker', { err: error, queue: name }, 'worker failed', name);
  });
  worker.on('failed', (job, error) =>
    warnings.warn(`job ${name}`, { err: error, job: job?.id, queue: name }, 'job failed'),
  );
  worker.on('stalled', (job) =>
    warnings.warn(`stalled ${name}`, { job, queue: name }, 'job lost its worker and runs again'),
  );
  worker.on('active', () => warnings.end('worker', { queue: name }, 'worker takes jobs again', name));
  worker.on('completed', (job, summary) => {
    warnings.end(`job ${name}`, { job: job.id, queue: name }, 'job completed again');
    log.debug({ job: job.id, queue: name, summary }, 'job done');
  });
  void runWhenReady(worker, (error) =>
    warnings.warn('worker', { err: error, queue: name }, 'failed to start a worker', name),
  );

  return {
    activity: activity as Readonly<Activity>,

    /** BullMQ's own, to be paused in a way that BullMQ has. */
    worker,

    /** Lets it end the slice in hand, then closes it; never resolves while Redis is away. */
    async stop(): Promise<void> {
      worker.cancelAllJobs('the worker is shutting down');
      await worker.close();
      await closeRedis(redis);
    },

    /** Takes it out of service whatever it is doing: its job, told to end, belongs to whoever takes it next. */
    drop(): void {
      worker.cancelAllJobs('the worker is being replaced');
      const logFailure = (error: unknown) =>
        log.warn({ err: error, queue: name }, 'a dropped worker did not close');
      void withDeadline(worker.close(true), dropMs, () => undefined)
        .catch(logFailure)
        .finally(() => redis.disconnect());
    },
  };
}

/** The data of a job, which somebody may have typed into Bull Board: a job with wrong data fails for good. */
function readData<Name extends JobName>(name: Name, data: unknown): JobData[Name] {
  const parsed = jobs[name].data.safeParse(data);
  if (parsed.success) return parsed.data as JobData[Name];
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`.trim());
  throw new UnrecoverableError(`the data is not usable: ${problems.join('; ')}`);
}
