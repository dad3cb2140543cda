import { write } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInThisContext } from 'node:vm';
import { workerData } from 'node:worker_threads';

/** The input of the thread of the loop watchdog. */
export interface LoopWatchdogData {
  /** Shared with the watched process: the number of its heartbeats, and 1 while a debugger is attached. */
  state: Int32Array<SharedArrayBuffer>;
  checkEveryMs: number;
  /** Checks in a row without a heartbeat after which the process is ended. */
  maxMissing: number;
  processName: string;
}

const { state, checkEveryMs, maxMissing, processName } = workerData as LoopWatchdogData;
/** Time limit for writing the last line. */
const lastLineMs = 1_000;
let seen = Atomics.load(state, 0);
let missing = 0;

setInterval(() => {
  const beats = Atomics.load(state, 0);
  const isDebugged = Atomics.load(state, 1) === 1;
  missing = beats === seen && !isDebugged ? missing + 1 : 0;
  seen = beats;
  if (missing >= maxMissing) endProcess();
}, checkEveryMs);

/** Writes a log line directly, because the log needs the event loop, and kills the process. */
function endProcess(): void {
  const line = {
    level: 60,
    time: new Date().toISOString(),
    process: processName,
    pid: process.pid,
    seconds: Math.round((maxMissing * checkEveryMs) / 1_000),
    msg: 'event loop is stuck: ending the process',
  };
  const end = () => {
    process.kill(process.pid, 'SIGKILL');
    if (process.pid === 1) crash();
  };
  // Standard error may be a full pipe: then the process ends without the line.
  setTimeout(end, lastLineMs);
  write(2, `${JSON.stringify(line)}\n`, end);
}

/** Ends process 1 of a container, which the kernel protects from its own signals: a breakpoint in V8 raises a processor trap, which ends
 *  every process. `process.abort` is not available in a thread. */
function crash(): void {
  setFlagsFromString('--allow-natives-syntax');
  runInThisContext('%SystemBreak()');
}
