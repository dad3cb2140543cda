import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';

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

/** The time that all processors together were busy so far, in milliseconds. */
export const readBusyMs = (): number =>
  cpus().reduce((sum, { times: { user, nice, sys, irq } }) => sum + user + nice + sys + irq, 0);

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

/** The processor time of a process so far, with all processes that it has started and theirs, also ended ones, in microseconds. */
export function readTreeCpuMicros(pid: number): number {
  const processes = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap(readStat);
  const root = processes.find((one) => one.pid === pid);
  const sumOf = (parent: NonNullable<typeof root>): number =>
    processes
      .filter((one) => one.parent === parent.pid)
      .reduce((sum, child) => sum + sumOf(child), parent.ownTicks + parent.endedTicks);
  return root === undefined ? NaN : sumOf(root) * tickMicros;
}

/** Empty when the process has ended meanwhile. */
function readStat(pid: string) {
  try {
    // The name in parentheses may contain spaces.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
      .map(Number);
    const [, parent = NaN] = fields;
    const [user = NaN, system = NaN, endedUser = NaN, endedSystem = NaN] = fields.slice(11, 15);
    return [{ pid: Number(pid), parent, ownTicks: user + system, endedTicks: endedUser + endedSystem }];
  } catch {
    return [];
  }
}
