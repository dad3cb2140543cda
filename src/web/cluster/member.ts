import cluster from 'node:cluster';
import type { Log } from '../../log.ts';
import type { ProcessMetrics } from '../../metrics/prometheus.ts';
import { exchangeCalls } from './rpc.ts';

/** How long the primary process may take to ask all others. */
const answerMs = 2_000;

/** Makes this web process one of those that the primary process supervises: it answers, and ends when that is gone. */
export function joinCluster(deps: {
  readMetrics: () => Promise<ProcessMetrics>;
  endProcess: (reason: string) => void;
  log: Log;
}) {
  const { readMetrics, endProcess, log } = deps;
  const worker = cluster.worker!;
  let isReplaced = false;
  const ask = exchangeCalls(
    process,
    { metrics: readMetrics, 'be replaced': async () => (isReplaced = true) },
    log,
  );
  worker.on('disconnect', () => {
    // Otherwise Node ends this process on the spot, with all that it has in hand.
    worker.exitedAfterDisconnect = true;
    endProcess('the primary process has gone');
  });
  // A terminal sends it to every process, and the primary process acts on it.
  process.on('SIGHUP', () => undefined);

  return {
    /** Whether another process has its place, so that nobody is turned away although this one ends. */
    get isReplaced() {
      return isReplaced;
    },

    /** The metrics of all web processes in their order, undefined for one that does not give them in time; undefined where the
     *  primary process does not. */
    readMetricsOfAll: async () =>
      (await ask('metrics of all', answerMs)) as (ProcessMetrics | undefined)[] | undefined,
  };
}
