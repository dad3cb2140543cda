import type { JobName } from '../src/queues/jobs.ts';
import { type Activity, type RunningWorker, startWorker, type WorkerDeps } from './queue-worker.ts';

export type Workers = ReturnType<typeof startWorkers>;

const noActivity: Readonly<Activity> = { jobsInHand: 0, steps: 0, achievements: 0, refusals: 0 };

/** Starts one Worker for each of the named queues, each on a connection of its own; with `isPaused`, not before `setPaused`. */
export function startWorkers(deps: WorkerDeps & { names: JobName[]; isPaused?: boolean }) {
  let isPaused = deps.isPaused ?? false;
  const current = new Map<JobName, RunningWorker>();
  if (!isPaused) startAll();

  function startAll(): void {
    for (const name of deps.names) current.set(name, startWorker(name, deps));
  }

  async function stopAll(): Promise<void> {
    const running = [...current.values()];
    current.clear();
    await Promise.all(running.map((worker) => worker.stop()));
  }

  /** The Worker that serves this queue now. Throws where none does, as while they are paused. */
  function get(name: JobName): RunningWorker {
    const worker = current.get(name);
    if (!worker) throw new Error(`no worker serves ${name}`);
    return worker;
  }

  return {
    names: deps.names,
    get,

    /** What the Worker of this queue has done; nothing while they are paused. */
    activityOf: (name: JobName): Readonly<Activity> => current.get(name)?.activity ?? noActivity,

    /** Jobs that this process runs now. */
    activeJobs: (): number =>
      [...current.values()].reduce((sum, { activity }) => sum + activity.jobsInHand, 0),

    /** Puts a new Worker on a fresh connection in the place of one, which is dropped whatever it does. */
    replace(name: JobName): void {
      get(name).drop();
      current.set(name, startWorker(name, deps));
    },

    /** Whether no queue is served. */
    isPaused: (): boolean => isPaused,

    /** Serves no queue, once each Worker has ended its present slice, or serves them again. */
    setPaused(paused: boolean): void {
      if (paused === isPaused) return;
      isPaused = paused;
      if (!paused) startAll();
      else void stopAll().catch((error: unknown) => deps.log.warn({ err: error }, 'failed to stop a worker'));
    },

    /** Lets each Worker end the slice in hand; what is left of its job waits for another worker. Never resolves while
     *  Redis is away, which is when jobs are left to their locks' end. */
    stop: stopAll,
  };
}
