import type { Log } from '../log.ts';
import type { Conditions } from '../resilience/conditions.ts';
import { createPoller } from '../resilience/poller.ts';
import { type JobName, jobNames } from './jobs.ts';
import type { QueueState } from './queue-state.ts';
import type { Queues } from './queues.ts';
import type { WorkerCounts } from './worker-heartbeats.ts';

const standardTimes = {
  pollEveryMs: 3_000,
  /** Time without a worker after which a queue is reported; a rolling restart takes less. A heartbeat counts for another 15 s. */
  unservedMs: 20_000,
  /** A job that has been due for longer is overdue. */
  overdueMs: 30_000,
};

/** Sets the conditions of the queues: no live worker, overdue jobs, paused queues. While Redis is unavailable, the conditions do not
 *  change. Returns a function that stops it. */
export function watchQueues(deps: {
  queues: Pick<Queues, 'readStates'>;
  workerCounts: WorkerCounts;
  conditions: Pick<Conditions, 'update'>;
  log: Log;
  times?: typeof standardTimes;
}): () => void {
  const { queues, workerCounts, conditions, log, times = standardTimes } = deps;
  // Every queue counts as served at the start: workers may start after the web process.
  const servedAt = new Map(jobNames.map((name) => [name, performance.now()]));
  let isStopped = false;
  const poller = createPoller({
    everyMs: times.pollEveryMs,
    run: check,
    onFailure: (error) => log.debug({ err: error }, 'failed to read the queues'),
  });

  async function check(): Promise<void> {
    const [states, counts] = await Promise.all([queues.readStates(), workerCounts.read()]);
    if (!isStopped) report(states, findUnserved(counts));
  }

  function findUnserved(counts: Record<JobName, number>): JobName[] {
    const now = performance.now();
    for (const name of jobNames) if (counts[name] > 0) servedAt.set(name, now);
    return jobNames.filter((name) => now - (servedAt.get(name) ?? now) > times.unservedMs);
  }

  function report(states: QueueState[], unserved: JobName[]): void {
    const paused = states.filter(({ isPaused }) => isPaused).map(({ queue }) => queue);
    const isOverdue = ({ queue, jobs, oldestMs }: QueueState) =>
      oldestMs > times.overdueMs && jobs.active === 0 && !paused.includes(queue) && !unserved.includes(queue);
    const overdue = states.filter(isOverdue).map(({ queue }) => queue);
    conditions.update('workers_missing', explainMissing(unserved));
    conditions.update(
      'jobs_overdue',
      overdue.length === 0
        ? undefined
        : `Jobs of ${overdue.join(', ')} have been due for more than 30 s and no worker takes them: see the log of the workers.`,
    );
    conditions.update(
      'queues_paused',
      paused.length === 0
        ? undefined
        : `Jobs wait because these queues are paused: ${paused.join(', ')}. Resume them in Bull Board.`,
    );
  }

  return () => {
    isStopped = true;
    void poller.stop();
  };
}

function explainMissing(unserved: JobName[]): string | undefined {
  if (unserved.length === 0) return undefined;
  if (unserved.length === jobNames.length) return 'No worker is running: start one with npm run worker.';
  return `No worker serves ${unserved.join(', ')}: start a worker for these queues.`;
}
