import { z } from 'zod';
import type { FailedJob } from '../../../queues/failed-jobs.ts';
import { type JobName, jobs } from '../../../queues/jobs.ts';
import type { QueueState } from '../../../queues/queue-state.ts';
import { type Queues, QueueUnavailable } from '../../../queues/queues.ts';
import type { WorkerCounts } from '../../../queues/worker-heartbeats.ts';
import { remember } from '../../../resilience/remember.ts';
import { isRedisUnavailable } from '../../../storage/redis/errors.ts';
import { timestamp } from '../../routes/schemas.ts';
import type { Handlers, Operations } from '../operation.ts';
import { pageOf, pageQuery, readPage } from '../pagination.ts';
import { getJobName, jobName } from './jobs.ts';

/** How long concurrent callers share the states of the queues. */
const sharedMs = 1_000;
/** Longer errors are cut off. */
const maxErrorLength = 2_000;

const shownQueue = z.object({
  name: z.string(),
  description: z.string(),
  needs_data: z.boolean().describe('Whether a job needs data, so that it cannot run without'),
  is_paused: z.boolean(),
  workers: z.int().describe('Worker processes that served the queue within the last 15 s'),
  waiting: z.int().describe('Jobs that a worker could take, with delayed ones whose time has come'),
  oldest_waiting_ms: z.int().nullable().describe('How long the oldest of them has been due'),
  running: z
    .array(z.object({ id: z.string(), progress: z.number(), started_at: timestamp }))
    .describe('Up to 10 running jobs; `progress` is a percentage'),
  last_run: z
    .object({
      id: z.string(),
      state: z.enum(['completed', 'failed']),
      finished_at: timestamp,
      duration_ms: z.int(),
      result: z.unknown().describe('Summary of a completed job'),
    })
    .nullable()
    .describe('The job that finished last; null if none is kept'),
  failed_24h: z.int().describe('Jobs that failed within 24 hours, of the last 1,000 failed ones'),
  next_run_at: timestamp
    .nullable()
    .describe('When the next scheduled job is due; in the past while no worker takes it'),
});

const shownFailure = z.object({
  id: z.string(),
  error: z.string(),
  attempts: z.int(),
  failed_at: timestamp,
  data: z.unknown().describe('Data of the job'),
});

/** The queues of background jobs. */
export const queueOperations = {
  listQueues: {
    method: 'get',
    path: '/api/v1/queues',
    tag: 'Jobs',
    summary: 'List queues',
    description: 'Every queue with what waits and runs, its last and its next run. Up to a second old.',
    scope: 'jobs:run',
    replies: { 200: { description: 'All queues, on one page.', body: pageOf(shownQueue) } },
    problems: [],
  },
  listQueueFailures: {
    method: 'get',
    path: '/api/v1/queues/{name}/failures',
    tag: 'Jobs',
    summary: 'List failed jobs',
    description: 'Jobs of a queue that failed all their attempts, newest first. They are kept for a week.',
    scope: 'jobs:run',
    params: z.object({ name: jobName }),
    query: z.strictObject(pageQuery({ default: 20, max: 100 })),
    replies: { 200: { description: 'A page of failed jobs.', body: pageOf(shownFailure) } },
    problems: ['not-found'],
  },
} as const satisfies Operations;

const timeOf = (ms: number) => new Date(ms).toISOString();

const presentQueue = (state: QueueState, workers: number): z.input<typeof shownQueue> => ({
  name: state.queue,
  description: jobs[state.queue].description,
  needs_data: !jobs[state.queue].data.safeParse({}).success,
  is_paused: state.isPaused,
  workers,
  waiting: state.due,
  oldest_waiting_ms: state.due === 0 ? null : Math.round(state.oldestMs),
  running: state.running.map(({ id, progress, startedAt }) => ({
    id,
    progress,
    started_at: timeOf(startedAt),
  })),
  last_run: state.lastRun
    ? {
        id: state.lastRun.id,
        state: state.lastRun.isFailed ? 'failed' : 'completed',
        finished_at: timeOf(state.lastRun.finishedAt),
        duration_ms: state.lastRun.durationMs,
        result: state.lastRun.result,
      }
    : null,
  failed_24h: state.failedOfDay,
  next_run_at: state.nextAt === undefined ? null : timeOf(state.nextAt),
});

const presentFailure = ({
  id,
  error,
  attempts,
  failedAt,
  data,
}: FailedJob): z.input<typeof shownFailure> => ({
  id,
  error: error.slice(0, maxErrorLength),
  attempts,
  failed_at: timeOf(failedAt),
  data,
});

const failurePosition = z.object({ id: z.string(), failedAt: z.number() });

export function queueHandlers({
  queues,
  workerCounts,
}: {
  queues: Pick<Queues, 'readStates' | 'readFailures'>;
  workerCounts: Pick<WorkerCounts, 'read'>;
}): Handlers<typeof queueOperations> {
  async function readWorkers() {
    try {
      return await workerCounts.read();
    } catch (error) {
      throw isRedisUnavailable(error)
        ? new QueueUnavailable('the workers cannot be counted', { cause: error })
        : error;
    }
  }

  const readAll = remember(async () => {
    const [states, workers] = await Promise.all([queues.readStates(), readWorkers()]);
    return states.map((state) => presentQueue(state, workers[state.queue]));
  }, sharedMs);

  return {
    listQueues: async () => ({ status: 200, body: { items: await readAll(), next_cursor: null } }),

    listQueueFailures: async ({ params, query }) => {
      const name: JobName = getJobName(params.name);
      const { rows, nextCursor } = await readPage(query, {
        list: ['failures', name],
        position: failurePosition,
        positionOf: ({ id, failedAt }: FailedJob) => ({ id, failedAt }),
        read: async (after, limit) => await queues.readFailures(name, { after, limit }),
      });
      return { status: 200, body: { items: rows.map(presentFailure), next_cursor: nextCursor } };
    },
  };
}
