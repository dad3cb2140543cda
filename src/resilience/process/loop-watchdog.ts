import { url as inspectorUrl } from 'node:inspector';
import type { Log } from '../../log.ts';
import type { LoopWatchdogData } from './loop-watchdog-thread.ts';
import { startThread } from './thread.ts';

const beatEveryMs = 1_000;
/** Far longer than any turn of the event loop or garbage collection. */
const stuckMs = 30_000;

/** The default heap of a thread is 40 MB. */
const resourceLimits = { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 1, stackSizeMb: 1 };

/** Kills this process when its event loop has been blocked for 30 s, after a fatal line on standard error: then no timer, signal handler or
 *  other watchdog of the process runs. The signal is SIGKILL, or SIGTRAP as process 1 of a container. A thread counts missing heartbeats,
 *  so time in which the process was stopped or the machine slept does not count. A process under a debugger is not watched. When the
 *  thread cannot run, a warning is logged and the process continues. Returns a function that stops the watchdog. */
export function watchLoop(processName: string, log: Log): () => void {
  const data: LoopWatchdogData = {
    state: new Int32Array(new SharedArrayBuffer(8)),
    checkEveryMs: beatEveryMs,
    maxMissing: stuckMs / beatEveryMs,
    processName,
  };
  const beat = () => {
    Atomics.add(data.state, 0, 1);
    Atomics.store(data.state, 1, inspectorUrl() === undefined ? 0 : 1);
  };
  beat();
  const timer = setInterval(beat, beatEveryMs).unref();
  const thread = startThread('loop-watchdog-thread', import.meta.url, { workerData: data, resourceLimits });
  thread.on('error', (error) => log.warn({ err: error }, 'failed to run the loop watchdog'));
  return () => {
    clearInterval(timer);
    void thread.terminate();
  };
}
