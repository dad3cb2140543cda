import type { JobName } from '../src/queues/jobs.ts';
import { type Activity, type RunningWorker, startWorker, type WorkerDeps } from './queue-worker.ts';

export type Workers = ReturnType<typeof startWorkers>;

const noActivity: Readonly<Activity> = { activeJobs: 0, steps: 0, progress: 0, rejections: 0 };

/** Starts one Worker per queue, each with its own connection; with `isPaused`, only after `setPaused(false)`. */
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

  /** The current Worker of this queue. Throws while the Workers are paused. */
  function get(name: JobName): RunningWorker {
    const worker = current.get(name);
    if (!worker) throw new Error(`no worker serves ${name}`);
    return worker;
  }

  return {
    names: deps.names,
    get,

    /** The activity of the Worker of this queue; zeros while the Workers are paused. */
    activityOf: (name: JobName): Readonly<Activity> => current.get(name)?.activity ?? noActivity,

    /** The number of jobs that this process is running. */
    activeJobs: (): number =>
      [...current.values()].reduce((sum, { activity }) => sum + activity.activeJobs, 0),

    /** Drops the Worker of a queue and starts another one on a new connection. */
    replace(name: JobName): void {
      get(name).drop();
      current.set(name, startWorker(name, deps));
    },

    isPaused: (): boolean => isPaused,

    /** Stops all Workers after their slice in progress, or starts them again. */
    setPaused(paused: boolean): void {
      if (paused === isPaused) return;
      isPaused = paused;
      if (!paused) startAll();
      else void stopAll().catch((error: unknown) => deps.log.warn({ err: error }, 'failed to stop a worker'));
    },

    /** Stops each Worker after its slice in progress; another worker continues the job. Never resolves while Redis is unavailable: then jobs
     *  continue elsewhere when their locks expire. */
    stop: stopAll,
  };
}
