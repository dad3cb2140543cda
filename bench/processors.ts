import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** Linux reports processor times in ticks of this length. */
const tickMicros = 10_000;

/** Lists of processors in the format of taskset. */
interface Split {
  /** For the web process that is measured. */
  web: string;
  /** For everything else. */
  others: string;
}

/** Moves this process and its future children off the first processor, which is reserved for the measured process.
 *  Undefined on a machine without taskset or with one processor: then all share it. */
export function splitProcessors(): Split | undefined {
  const count = availableParallelism();
  const split = { web: '0', others: count > 2 ? `1-${count - 1}` : '1' };
  return count > 1 && pin(process.pid, split.others) ? split : undefined;
}

/** Moves a process with all its threads; returns false if that is not possible. */
export function pin(pid: number, processors: string): boolean {
  return spawnSync('taskset', ['-acp', processors, String(pid)]).status === 0;
}

/** The processor time of a process so far, in microseconds; NaN where the system does not report it. */
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

/** The time that the first processor was busy so far, in microseconds, including the host of a virtual machine; NaN
 *  where the system does not report it. */
export function readFirstProcessorMicros(): number {
  try {
    const line = /^cpu0 (.+)$/m.exec(readFileSync('/proc/stat', 'utf8'))![1]!;
    const [user = NaN, nice = NaN, system = NaN, , , , , steal = NaN] = line.split(' ').map(Number);
    return (user + nice + system + steal) * tickMicros;
  } catch {
    return NaN;
  }
}
