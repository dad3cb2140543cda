import { url as inspectorUrl } from 'node:inspector';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import type { LoopWatchdogData } from './loop-watchdog-thread.ts';

const beatEveryMs = 1_000;
/** Far longer than any turn of the event loop should take, and than a garbage collection takes. */
const stuckMs = 30_000;

/** What a few lines need; a thread takes 40 MB of heap by default. */
const resourceLimits = { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 1, stackSizeMb: 1 };

/** Ends this process with SIGKILL, after a fatal line on standard error, when its event loop does not turn for 30 s: then no
 *  timer, signal handler or other watchdog of the process runs. A thread of its own counts the heartbeats that are missing. It
 *  counts in its own time, so time in which the process was stopped or the machine slept does not count; a process under a debugger is not watched.
 *  Returns what stops it. */
export function watchLoop(processName: string): () => void {
  const data: LoopWatchdogData = {
    state: new Int32Array(new SharedArrayBuffer(8)),
    lookEveryMs: beatEveryMs,
    maxMissing: stuckMs / beatEveryMs,
    processName,
  };
  const beat = () => {
    Atomics.add(data.state, 0, 1);
    Atomics.store(data.state, 1, inspectorUrl() === undefined ? 0 : 1);
  };
  beat();
  const timer = setInterval(beat, beatEveryMs).unref();
  // Beside this file, wherever it was built to.
  const extension = path.extname(import.meta.url);
  const thread = new Worker(new URL(`./loop-watchdog-thread${extension}`, import.meta.url), {
    workerData: data,
    resourceLimits,
    // Modules that Node preloads into the process are not for the thread, except a loader that TypeScript needs.
    ...(extension === '.js' && { execArgv: [] }),
  });
  thread.unref();
  return () => {
    clearInterval(timer);
    void thread.terminate();
  };
}
