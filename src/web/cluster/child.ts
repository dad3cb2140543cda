import cluster from 'node:cluster';
import type { Log } from '../../log.ts';
import { createRpc, type RpcHandlers } from './rpc.ts';

/** How long a web process may take to answer the primary process. */
const answerMs = 1_000;

export type ClusterWorker = ReturnType<typeof forkWorker>;

/** Forks a web process, which can call `handlers`. */
export function forkWorker(handlers: RpcHandlers, log: Log) {
  const worker = cluster.fork();
  const { pid } = worker.process;
  const call = createRpc(worker, handlers, log);
  let listeningSince: number | undefined;
  let ending: Promise<number | string> | undefined;

  const ended = new Promise<number | string>((resolve) => {
    worker.once('exit', (code, signal) => resolve(signal ?? code));
    worker.on('error', (error) => {
      log.warn({ err: error, pid }, 'cluster worker failed');
      if (pid === undefined) resolve('failed to start');
    });
  });
  const started = new Promise<boolean>((resolve) => {
    worker.once('listening', () => {
      listeningSince = performance.now();
      resolve(true);
    });
    void ended.then(() => resolve(false));
  });

  return {
    pid,
    /** Resolves to true once it listens, or to false if it exits before that. */
    started,
    /** Resolves to its exit code, signal or error. */
    ended,
    /** Whether it listens. */
    get isListening() {
      return listeningSince !== undefined && !worker.isDead();
    },
    /** How long it has listened; 0 if it never did. */
    get ageMs() {
      return listeningSince === undefined ? 0 : performance.now() - listeningSince;
    },

    /** Its metrics; undefined if it does not answer in time. */
    readMetrics: async () => await call('metrics', answerMs),

    /** Its activity; undefined if it does not answer in time. */
    readActivity: async () => await call('activity', answerMs),

    /** Notifies it that another process has replaced it. */
    notifyReplaced: async (): Promise<unknown> => await call('replaced', answerMs),

    /** Sends SIGTERM, once, and SIGKILL after `ms`. Resolves like `ended`. */
    end: (ms: number): Promise<number | string> => (ending ??= end(ms)),

    /** Sends SIGKILL. */
    kill,
  };

  function kill() {
    worker.process.kill('SIGKILL');
  }

  async function end(ms: number) {
    worker.process.kill('SIGTERM');
    const timer = setTimeout(kill, ms);
    return await ended.finally(() => clearTimeout(timer));
  }
}
