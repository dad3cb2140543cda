import { url as inspectorUrl } from 'node:inspector';
import type { Log } from '../log.ts';
import type { LoopWatchdogData } from './loop-watchdog-thread.ts';
import { startThread } from './thread.ts';

const beatEveryMs = 1_000;
/** Far longer than any turn of the event loop should take, and than a garbage collection takes. */
const stuckMs = 30_000;

/** What a few lines need; a thread takes 40 MB of heap by default. */
const resourceLimits = { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 1, stackSizeMb: 1 };

/** Ends this process with SIGKILL (SIGTRAP as process 1 of a container), after a fatal line on standard error, when its event loop does not turn for 30 s: then no
 *  timer, signal handler or other watchdog of the process runs. A thread of its own counts the heartbeats that are missing. It
 *  counts in its own time, so time in which the process was stopped or the machine slept does not count; a process under a
 *  debugger is not watched.
 *  Where the thread cannot run, the process continues without it, with a warning. Returns what stops it. */
export function watchLoop(processName: string, log: Log): () => void {
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
  const thread = startThread('loop-watchdog-thread', import.meta.url, { workerData: data, resourceLimits });
  thread.on('error', (error) => log.warn({ err: error }, 'failed to run the loop watchdog'));
  return () => {
    clearInterval(timer);
    void thread.terminate();
  };
}
