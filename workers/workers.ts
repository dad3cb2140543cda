import type { JobName } from '../src/jobs.ts';
import { type RunningWorker, startWorker, type WorkerDeps } from './worker.ts';

export type Workers = ReturnType<typeof startWorkers>;

/** Starts one Worker for each of the named queues, each on a connection of its own. */
export function startWorkers(deps: WorkerDeps & { names: JobName[] }) {
  const current = new Map(deps.names.map((name) => [name, startWorker(name, deps)]));

  return {
    names: deps.names,

    /** The Worker that serves this queue now. */
    get(name: JobName): RunningWorker {
      const worker = current.get(name);
      if (!worker) throw new Error(`no worker serves ${name}`);
      return worker;
    },

    /** Jobs that this process runs now. */
    activeJobs: (): number =>
      [...current.values()].reduce((sum, { activity }) => sum + activity.jobsInHand, 0),

    /** Puts a new Worker on a fresh connection in the place of one, which is dropped whatever it does. */
    replace(name: JobName): void {
      this.get(name).drop();
      current.set(name, startWorker(name, deps));
    },

    /** Lets each Worker end the slice in hand; what is left of its job waits for another worker. Never resolves while
     *  Redis is away, which is when jobs are left to their locks' end. */
    async stop(): Promise<void> {
      await Promise.all([...current.values()].map((worker) => worker.stop()));
    },
  };
}
