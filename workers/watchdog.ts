import type { Log } from '../src/log.ts';
import type { JobName } from '../src/queues/jobs.ts';
import type { Queues } from '../src/queues/queues.ts';
import { createPoller } from '../src/resilience/poller.ts';
import type { Workers } from './worker-pool.ts';

/** How often each Worker is looked at, and how long one may stand still. With the new Worker's start this is under 10 s. */
const standardTimes = {
  checkEveryMs: 1_000,
  /** Work is due, and the Worker takes none of it. After an error, BullMQ may wait for 10 s although a job is there. */
  idleMs: 5_000,
  /** A job is in hand, and neither ends nor reports progress; a slice takes a minute at most, the time-out of a statement. */
  silentMs: 300_000,
};

/** Replacements in a row that may achieve nothing before the whole process is taken to be at fault. */
const vainReplacements = 2;

interface Watched {
  steps: number;
  refusals: number;
  dueJob: string | undefined;
  idleLooks: number;
  silentLooks: number;
  replaced: number;
}

/** Judges Workers by what they do, not by whether Redis answers, and replaces one that stands still although it has work.
 *  What an outage of Redis takes does not count. Calls `endProcess` when replacing does not help. Returns what stops it. */
export function watchWorkers(deps: {
  workers: Workers;
  queues: Pick<Queues, 'findDueJob'>;
  endProcess: (reason: string) => void;
  log: Log;
  times?: typeof standardTimes;
}): () => void {
  const { workers, queues, endProcess, log, times = standardTimes } = deps;
  const watched = new Map(workers.names.map((name) => [name, notSeenYet()]));
  const looksIn = (ms: number) => Math.ceil(ms / times.checkEveryMs);
  let isStopped = false;
  const poller = createPoller({
    everyMs: times.checkEveryMs,
    run: async () =>
      void (await Promise.all([...watched].map(async ([name, seen]) => await check(name, seen)))),
    onFailure: (error) => log.error({ err: error }, 'failed to check the workers'),
  });

  async function check(name: JobName, seen: Watched): Promise<void> {
    if (workers.isPaused()) {
      Object.assign(seen, notSeenYet());
      return;
    }
    let dueJob: string | undefined;
    try {
      dueJob = await queues.findDueJob(name);
    } catch (error) {
      log.debug({ err: error, queue: name }, 'it is not known whether a job is due');
      Object.assign(seen, { idleLooks: 0, silentLooks: 0 });
      return;
    }
    if (isStopped || workers.isPaused()) return;
    const { steps, refusals, jobsInHand, achievements } = workers.activityOf(name);
    if (achievements > 0) seen.replaced = 0;
    // A Redis that refuses is an outage too: the Worker does what it can.
    const stood = steps === seen.steps && refusals === seen.refusals;
    // The same job every time: otherwise somebody else takes them.
    const isLeft = dueJob !== undefined && dueJob === seen.dueJob;
    Object.assign(seen, { steps, refusals, dueJob });
    // Looks are counted, not time: a process that was stopped itself has not stood still.
    seen.silentLooks = stood && jobsInHand > 0 ? seen.silentLooks + 1 : 0;
    seen.idleLooks = stood && jobsInHand === 0 && isLeft ? seen.idleLooks + 1 : 0;
    if (seen.silentLooks >= looksIn(times.silentMs)) {
      replace(name, seen, `its job has shown no progress for ${times.silentMs / 1_000} s`);
    } else if (seen.idleLooks >= looksIn(times.idleMs)) {
      replace(name, seen, `it has taken no job for ${times.idleMs / 1_000} s although one is due`);
    }
  }

  function replace(name: JobName, seen: Watched, reason: string): void {
    if (seen.replaced >= vainReplacements) {
      log.fatal(
        { queue: name, reason },
        'a worker stands still, replaced or not: the process ends to be started anew',
      );
      stop();
      endProcess(`the worker of ${name} stands still`);
      return;
    }
    log.error({ queue: name, reason }, 'a worker stands still and is replaced');
    workers.replace(name);
    Object.assign(seen, { ...notSeenYet(), replaced: seen.replaced + 1 });
  }

  function stop(): void {
    isStopped = true;
    void poller.stop();
  }

  return stop;
}

const notSeenYet = (): Watched => ({
  steps: 0,
  refusals: 0,
  dueJob: undefined,
  idleLooks: 0,
  silentLooks: 0,
  replaced: 0,
});
