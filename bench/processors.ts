import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** Linux tells times in ticks of this length. */
const tickMicros = 10_000;

/** Lists of processors, as taskset writes them. */
interface Split {
  /** For the web process that is measured. */
  web: string;
  /** For everything else. */
  others: string;
}

/** Keeps this process, and what it will start, off the first processor, which is for the process that is measured. Undefined
 *  where the machine has no taskset or one processor only: then everything shares. */
export function splitProcessors(): Split | undefined {
  const count = availableParallelism();
  const split = { web: '0', others: count > 2 ? `1-${count - 1}` : '1' };
  return count > 1 && pin(process.pid, split.others) ? split : undefined;
}

/** Moves a process with all its threads; false where that cannot be done. */
export function pin(pid: number, processors: string): boolean {
  return spawnSync('taskset', ['-acp', processors, String(pid)]).status === 0;
}

/** Processor time that a process has used so far, in microseconds; NaN where the system does not tell. */
export function readCpuMicros(pid: number): number {
  const threads = `/proc/${pid}/task`;
  try {
    const nanoseconds = readdirSync(threads).map((id) =>
      Number.parseInt(readFileSync(`${threads}/${id}/schedstat`, 'utf8')),
    );
    return nanoseconds.reduce((sum, value) => sum + value, 0) / 1_000;
  } catch {
    return NaN;
  }
}

/** Time that programs have kept the first processor busy so far, in microseconds, the host of a virtual machine included; NaN
 *  where the system does not tell. */
export function readFirstProcessorMicros(): number {
  try {
    const line = /^cpu0 (.+)$/m.exec(readFileSync('/proc/stat', 'utf8'))![1]!;
    const [user = NaN, nice = NaN, system = NaN, , , , , steal = NaN] = line.split(' ').map(Number);
    return (user + nice + system + steal) * tickMicros;
  } catch {
    return NaN;
  }
}
