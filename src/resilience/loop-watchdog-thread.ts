import { write } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInThisContext } from 'node:vm';
import { workerData } from 'node:worker_threads';

/** What the thread of the loop watchdog is given. */
export interface LoopWatchdogData {
  /** Shared with the watched process: its heartbeats, and 1 while a debugger may hold it. */
  state: Int32Array<SharedArrayBuffer>;
  lookEveryMs: number;
  /** Looks in a row without a heartbeat after which the process ends. */
  maxMissing: number;
  processName: string;
}

const { state, lookEveryMs, maxMissing, processName } = workerData as LoopWatchdogData;
/** How long the last line may take to be written. */
const lastLineMs = 1_000;
let seen = Atomics.load(state, 0);
let missing = 0;

setInterval(() => {
  const beats = Atomics.load(state, 0);
  const isDebugged = Atomics.load(state, 1) === 1;
  missing = beats === seen && !isDebugged ? missing + 1 : 0;
  seen = beats;
  if (missing >= maxMissing) endProcess();
}, lookEveryMs);

/** Writes a line like those of the log, past the log, which needs the event loop, and ends the process past its handlers. */
function endProcess(): void {
  const line = {
    level: 60,
    time: new Date().toISOString(),
    process: processName,
    pid: process.pid,
    seconds: Math.round((maxMissing * lookEveryMs) / 1_000),
    msg: 'event loop is stuck: ending the process',
  };
  const end = () => {
    process.kill(process.pid, 'SIGKILL');
    if (process.pid === 1) crash();
  };
  // Standard error may be a pipe that nobody reads: the process ends without the line.
  setTimeout(end, lastLineMs);
  write(2, `${JSON.stringify(line)}\n`, end);
}

/** Ends process 1 of a container, which the kernel protects from signals of its own: a breakpoint in V8 is a fault of the processor, and that
 *  ends any process. A thread has no `process.abort`. */
function crash(): void {
  setFlagsFromString('--allow-natives-syntax');
  runInThisContext('%SystemBreak()');
}
