import type { Log } from '../src/log.ts';
import type { JobName } from '../src/queues/jobs.ts';
import type { Queues } from '../src/queues/queues.ts';
import { createPoller } from '../src/resilience/poller.ts';
import type { Workers } from './worker-pool.ts';

/** How often each Worker is checked, and how long it may be stuck. With the start of a new Worker this is below 10 s. */
const standardTimes = {
  checkEveryMs: 1_000,
  /** A job is due, and the Worker does not take it. After an error, BullMQ may wait for 10 s. */
  idleMs: 5_000,
  /** A job is active, and neither finishes nor reports progress. A slice takes a minute at most, the time limit of a statement. */
  silentMs: 300_000,
};

/** Replacements in a row without progress after which the process is ended. */
const maxReplacements = 2;

interface WatchState {
  steps: number;
  rejections: number;
  dueJob: string | undefined;
  idleChecks: number;
  silentChecks: number;
  replacements: number;
}

/** Replaces Workers that are stuck: it evaluates their progress, not whether Redis answers. Time during an outage of Redis does not count.
 *  Calls `endProcess` when replacing does not help. Returns a function that stops it. */
export function watchWorkers(deps: {
  workers: Workers;
  queues: Pick<Queues, 'findDueJob'>;
  endProcess: (reason: string) => void;
  log: Log;
  times?: typeof standardTimes;
}): () => void {
  const { workers, queues, endProcess, log, times = standardTimes } = deps;
  const watched = new Map(workers.names.map((name) => [name, newState()]));
  const checksIn = (ms: number) => Math.ceil(ms / times.checkEveryMs);
  let isStopped = false;
  const poller = createPoller({
    everyMs: times.checkEveryMs,
    run: async () =>
      void (await Promise.all([...watched].map(async ([name, seen]) => await check(name, seen)))),
    onFailure: (error) => log.error({ err: error }, 'failed to check the workers'),
  });

  async function check(name: JobName, seen: WatchState): Promise<void> {
    if (workers.isPaused()) {
      Object.assign(seen, newState());
      return;
    }
    let dueJob: string | undefined;
    try {
      dueJob = await queues.findDueJob(name);
    } catch (error) {
      log.debug({ err: error, queue: name }, 'failed to check for due jobs');
      Object.assign(seen, { idleChecks: 0, silentChecks: 0 });
      return;
    }
    if (isStopped || workers.isPaused()) return;
    const { steps, rejections, activeJobs, progress } = workers.activityOf(name);
    if (progress > 0) seen.replacements = 0;
    // A Redis that rejects commands is an outage too.
    const isIdle = steps === seen.steps && rejections === seen.rejections;
    // Another job each time means that another worker takes them.
    const isWaiting = dueJob !== undefined && dueJob === seen.dueJob;
    Object.assign(seen, { steps, rejections, dueJob });
    // Counts checks instead of time: after a SIGSTOP of this process no Worker is stuck.
    seen.silentChecks = isIdle && activeJobs > 0 ? seen.silentChecks + 1 : 0;
    seen.idleChecks = isIdle && activeJobs === 0 && isWaiting ? seen.idleChecks + 1 : 0;
    if (seen.silentChecks >= checksIn(times.silentMs)) {
      replace(name, seen, `its job has reported no progress for ${times.silentMs / 1_000} s`);
    } else if (seen.idleChecks >= checksIn(times.idleMs)) {
      replace(name, seen, `it has not taken a due job for ${times.idleMs / 1_000} s`);
    }
  }

  function replace(name: JobName, seen: WatchState, reason: string): void {
    if (seen.replacements >= maxReplacements) {
      log.fatal({ queue: name, reason }, 'worker is stuck after replacements, ending the process');
      stop();
      endProcess(`the worker of ${name} is stuck`);
      return;
    }
    log.error({ queue: name, reason }, 'worker is stuck, replacing it');
    workers.replace(name);
    Object.assign(seen, { ...newState(), replacements: seen.replacements + 1 });
  }

  function stop(): void {
    isStopped = true;
    void poller.stop();
  }

  return stop;
}

const newState = (): WatchState => ({
  steps: 0,
  rejections: 0,
  dueJob: undefined,
  idleChecks: 0,
  silentChecks: 0,
  replacements: 0,
});
