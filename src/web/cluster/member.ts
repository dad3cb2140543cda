import cluster from 'node:cluster';
import type { Activity } from '../../http/ops/activity.ts';
import type { Log } from '../../log.ts';
import type { ProcessMetrics } from '../../metrics/prometheus.ts';
import { createRpc } from './rpc.ts';

/** How long the primary process may take to query all web processes. */
const answerMs = 2_000;

/** Connects this web process to the primary process: answers its calls, and ends this process if the primary process dies. */
export function joinCluster(deps: {
  readMetrics: () => Promise<ProcessMetrics>;
  readActivity: () => Activity;
  endProcess: (reason: string) => void;
  log: Log;
}) {
  const { readMetrics, readActivity, endProcess, log } = deps;
  const worker = cluster.worker!;
  let isReplaced = false;
  const call = createRpc(
    process,
    {
      metrics: readMetrics,
      activity: async () => readActivity(),
      replaced: async () => (isReplaced = true),
    },
    log,
  );
  worker.on('disconnect', () => {
    // Without this, Node exits the process at once, and requests in progress are lost.
    worker.exitedAfterDisconnect = true;
    endProcess('the primary process has died');
  });
  // A terminal sends SIGHUP to every process; only the primary process acts on it.
  process.on('SIGHUP', () => undefined);

  return {
    /** Whether another process has replaced this one, which therefore stays ready while it shuts down. */
    get isReplaced() {
      return isReplaced;
    },

    /** The metrics of all web processes in slot order, with undefined for those that do not answer in time; undefined if the
     *  primary process does not answer. */
    readMetricsOfAll: async () => await call('metricsOfAll', answerMs),

    /** The activity of all web processes, with undefined for those that do not answer in time; undefined if the primary process does not
     *  answer. */
    readActivityOfAll: async () => await call('activityOfAll', answerMs),
  };
}
