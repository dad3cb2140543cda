import cluster from 'node:cluster';
import type { Log } from '../../log.ts';
import { type Answers, exchangeCalls } from './rpc.ts';

/** How long a web process may take to answer the primary one. */
const answerMs = 1_000;

export type Child = ReturnType<typeof startChild>;

/** Starts a web process, which may ask for `answers`. */
export function startChild(answers: Answers, log: Log) {
  const worker = cluster.fork();
  const { pid } = worker.process;
  const ask = exchangeCalls(worker, answers, log);
  let listeningSince: number | undefined;
  let ending: Promise<number | string> | undefined;

  const ended = new Promise<number | string>((resolve) => {
    worker.once('exit', (code, signal) => resolve(signal ?? code));
    worker.on('error', (error) => {
      log.warn({ err: error, child: pid }, 'trouble with a web process');
      if (pid === undefined) resolve('could not be started');
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
    /** Resolves to true when it listens, or to false when it has ended without. */
    started,
    /** Resolves to its exit code, or to the signal or mishap that ended it. */
    ended,
    /** Whether it listens now. */
    get listens() {
      return listeningSince !== undefined && !worker.isDead();
    },
    /** How long ago it came to listen; 0 when it never did. */
    get ageMs() {
      return listeningSince === undefined ? 0 : performance.now() - listeningSince;
    },

    /** Its metrics; undefined when it does not give them in time. */
    readMetrics: async (): Promise<unknown> => await ask('metrics', answerMs),

    /** Tells it that another one is there in its place. */
    tellReplaced: async (): Promise<unknown> => await ask('be replaced', answerMs),

    /** Asks it to end, once, and ends it after `ms`; resolves to how it has ended. */
    end: (ms: number): Promise<number | string> => (ending ??= end(ms)),

    /** Ends it at once. */
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
