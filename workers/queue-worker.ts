import { type Job, UnrecoverableError, WaitingError, Worker } from 'bullmq';
import type { Log } from '../src/log.ts';
import { concurrencyOf, type JobData, type JobName, jobs } from '../src/queues/jobs.ts';
import { queuePrefix } from '../src/queues/queues.ts';
import { repeatedWarningsOf } from '../src/resilience/repeated-warnings.ts';
import { withDeadline } from '../src/resilience/shutdown.ts';
import { bullmqOptions } from '../src/storage/redis/bullmq-options.ts';
import type { RedisClient } from '../src/storage/redis/client.ts';
import { isRedisRejecting, isRedisUnreachable } from '../src/storage/redis/errors.ts';
import { closeRedis } from '../src/storage/redis/redis.ts';
import type { Processors, Summary } from './job-context.ts';
import type { JobMetrics, JobOutcome } from './job-metrics.ts';
import { createPacedBackend, runWhenReady } from './paced-backend.ts';

/** How long a job stays locked without a renewal, and how often stalled jobs are searched: the job of a killed worker runs again after
 *  their sum, at worst 2 s later. A job that runs twice is harmless. */
const lockDurationMs = 5_000;
const stalledIntervalMs = 2_000;
/** How often a job may lose its worker, for example in a deployment, before it fails. */
const maxStalledCount = 5;
/** Pause of BullMQ after a connection error; the default of 15 s is longer than most outages. */
const runRetryDelayMs = 1_000;
/** How often an idle Worker checks for jobs, because it may miss a marker after a failure. Well below the idle limit of the watchdog. */
const drainDelaySeconds = 2;
/** Time limit for closing a dropped Worker before its connection is closed. */
const dropMs = 2_000;

const neverAborted = new AbortController().signal;

export interface WorkerDeps {
  processors: Processors;
  /** Opens a connection of the role "worker". */
  openRedis: () => RedisClient;
  redisPrefix: string;
  jobMetrics: Pick<JobMetrics, 'observe'>;
  log: Log;
}

/** What a Worker has done so far, for the watchdog. */
export interface Activity {
  activeJobs: number;
  /** Jobs started, jobs finished and progress reports. */
  steps: number;
  /** Jobs finished and progress reports. */
  progress: number;
  /** Commands that Redis has rejected, for example because it is full. */
  rejections: number;
}

export type RunningWorker = ReturnType<typeof startWorker>;

/** Starts a Worker for one queue, on a connection of its own. */
export function startWorker<Name extends JobName>(name: Name, deps: WorkerDeps) {
  const { processors, jobMetrics, log } = deps;
  const warnings = repeatedWarningsOf(log);
  const activity: Activity = { activeJobs: 0, steps: 0, progress: 0, rejections: 0 };
  const countProgress = () => {
    activity.steps += 1;
    activity.progress += 1;
  };

  async function process(job: Job<JobData[Name], Summary>, token: string | undefined, signal: AbortSignal) {
    const summary = await processors[name](readData(name, job.data), {
      reportProgress: async (percent) => {
        countProgress();
        await job.updateProgress(percent);
      },
      signal,
    });
    if (!signal.aborted || summary['interrupted'] !== true) return summary;
    // The next worker continues where this one stopped.
    await job.moveToWait(token);
    throw new WaitingError();
  }

  // No default value: BullMQ passes a signal to functions with three parameters (Function.length).
  const run = async (job: Job<JobData[Name], Summary>, token?: string, signal?: AbortSignal) => {
    activity.activeJobs += 1;
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
      activity.activeJobs -= 1;
      countProgress();
    }
  };

  const redis = deps.openRedis();
  const options = {
    ...bullmqOptions(),
    autorun: false,
    connection: redis,
    concurrency: concurrencyOf(name),
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
    if (isRedisRejecting(error)) activity.rejections += 1;
    // The connection reports an unreachable Redis.
    if (!isRedisUnreachable(error))
      warnings.warn('worker', { err: error, queue: name }, 'worker failed', name);
  });
  worker.on('failed', (job, error) =>
    warnings.warn(`job ${name}`, { err: error, job: job?.id, queue: name }, 'job failed'),
  );
  worker.on('stalled', (job) =>
    warnings.warn(`stalled ${name}`, { job, queue: name }, 'job stalled, running it again'),
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

    /** The Worker of BullMQ. */
    worker,

    /** Closes it after the slice in progress; never resolves while Redis is unavailable. */
    async stop(): Promise<void> {
      worker.cancelAllJobs('the worker is shutting down');
      await worker.close();
      await closeRedis(redis);
    },

    /** Takes it out of service at once: its job is interrupted, and another worker takes it. */
    drop(): void {
      worker.cancelAllJobs('the worker is being replaced');
      const logFailure = (error: unknown) =>
        log.warn({ err: error, queue: name }, 'failed to close a dropped worker');
      void withDeadline(worker.close(true), dropMs, () => undefined)
        .catch(logFailure)
        .finally(() => redis.disconnect());
    },
  };
}

/** The validated data of a job, which may come from Bull Board. A job with invalid data fails without a retry. */
function readData<Name extends JobName>(name: Name, data: unknown): JobData[Name] {
  const parsed = jobs[name].data.safeParse(data);
  if (parsed.success) return parsed.data as JobData[Name];
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`.trim());
  throw new UnrecoverableError(`invalid job data: ${problems.join('; ')}`);
}
