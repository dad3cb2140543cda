import cluster from 'node:cluster';
import type { WebConfig } from '../../config/web.ts';
import { createLog } from '../../log.ts';
import { ClosingStack, endOnSignal } from '../../resilience/shutdown.ts';
import { type ClusterWorker, forkWorker } from './child.ts';
import type { RpcHandlers } from './rpc.ts';
import { createSlot } from './slot.ts';

/** Time to exit beyond SHUTDOWN_DEADLINE_MS for a web process, and as much again for the primary process. */
const marginMs = 1_000;

/** The primary process: runs `WEB_CONCURRENCY` web processes on one port and does nothing else. It restarts processes that exit, replaces
 *  them one after the other on SIGHUP, and ends all on SIGTERM. Resolves once each listens or has exited. */
export async function superviseWebProcesses(config: WebConfig): Promise<void> {
  const log = createLog('web-cluster', config.LOG_LEVEL);
  const closing = new ClosingStack(log);
  const endMs = config.SHUTDOWN_DEADLINE_MS + marginMs;
  const endProcess = endOnSignal(closing, log, endMs + marginMs);
  // All processes accept from one queue of the kernel: another takes the connections that a dying or hanging process leaves there.
  // With round robin, the primary process would assign connections to a hanging process.
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  cluster.setupPrimary({ serialization: 'advanced' });

  const workers = new Set<ClusterWorker>();
  const handlers: RpcHandlers = {
    metricsOfAll: async () => await Promise.all(slots.map(({ worker }) => worker.readMetrics())),
    activityOfAll: async () => await Promise.all(slots.map(({ worker }) => worker.readActivity())),
  };
  const start = () => {
    const worker = forkWorker(handlers, log);
    workers.add(worker);
    void worker.ended.then(() => workers.delete(worker));
    return worker;
  };
  const onHopeless = () => {
    if (!slots.some(({ worker }) => worker.isListening)) endProcess('no web process starts');
  };
  const slots = Array.from({ length: config.WEB_CONCURRENCY }, () =>
    createSlot({ start, endMs, onHopeless, log }),
  );
  closing.defer('web processes', slots, async () => {
    for (const slot of slots) slot.close();
    const endings = await Promise.all([...workers].map(async (worker) => await endWorker(worker, endMs)));
    if (!endings.every(Boolean)) throw new Error('a web process did not exit cleanly');
  });
  // A hard exit of this process must not leave web processes behind.
  process.on('exit', () => workers.forEach((worker) => worker.kill()));

  let replaced = Promise.resolve();
  process.on('SIGHUP', () => {
    replaced = replaced.then(replaceAll).catch(onReplaceFailed);
  });
  const started = await Promise.all(slots.map(({ worker }) => worker.started));
  if (started.every(Boolean)) log.info({ processes: slots.length }, 'all web processes have started');

  async function replaceAll() {
    log.info('replacing the web processes');
    for (const slot of slots) if (!closing.started) await slot.replace();
    log.info('the web processes are replaced');
  }

  function onReplaceFailed(error: unknown) {
    log.error({ err: error }, 'failed to replace a web process, keeping the remaining old ones');
  }
}

/** Resolves to whether a web process exited cleanly; one that never listened counts as clean. */
async function endWorker(worker: ClusterWorker, endMs: number): Promise<boolean> {
  const { isListening } = worker;
  return (await worker.end(endMs)) === 0 || !isListening;
}
