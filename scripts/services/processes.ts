import { type ChildProcess, type SpawnOptions, execFileSync, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';

/** A process that cannot be mistaken for a later one with the same pid, because `started` says when it was started. */
export type ProcessMark = z.infer<typeof markSchema>;
const markSchema = z.object({ pid: z.int().positive(), started: z.string() });

/** How a process is asked to end: each signal, and how long it is waited for after it. */
export type EndingSteps = readonly (readonly [signal: NodeJS.Signals, waitMs: number])[];

/** Marks a running process; undefined when there is none with this pid, or only its zombie. One whose first thread has ended
 *  runs on until its last one has: it still holds its ports and files. */
export function markProcess(pid: number): ProcessMark | undefined {
  const started = process.platform === 'linux' ? startedOnLinux(pid) : startedByPs(pid);
  return started === undefined ? undefined : { pid, started };
}

/** The mark that was saved in a JSON file; undefined when there is none that can be read. */
export function readMark(file: string): ProcessMark | undefined {
  if (!existsSync(file)) return undefined;
  try {
    return markSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined;
  }
}

/** Saves a mark for a later `readMark`. */
export function saveMark(file: string, mark: ProcessMark): void {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify(mark));
}

/** True while exactly the marked process runs. */
export function isRunning(mark: ProcessMark): boolean {
  return markProcess(mark.pid)?.started === mark.started;
}

/** The command line of a process with spaces between its arguments; empty when there is no such process. */
export function commandOf(pid: number): string {
  try {
    return process.platform === 'linux'
      ? readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
      : ps(pid, 'command=');
  } catch {
    return '';
  }
}

/** Ends the marked process; with `group` a SIGKILL is for its whole process group. Throws if it outlives every step. */
export async function endProcess(mark: ProcessMark, steps: EndingSteps, { group = false } = {}) {
  for (const [signal, waitMs] of steps) {
    if (!isRunning(mark)) break;
    sendSignal(group && signal === 'SIGKILL' ? -mark.pid : mark.pid, signal);
    // A stopped process (SIGSTOP) only takes notice once it continues.
    sendSignal(mark.pid, 'SIGCONT');
    await waitUntil(() => !isRunning(mark), waitMs);
  }
  if (isRunning(mark)) throw new Error(`process ${mark.pid} does not end: ${commandOf(mark.pid)}`);
}

/** Waits until the condition holds, at most `waitMs`; returns whether it does. */
export async function waitUntil(
  condition: () => boolean | Promise<boolean>,
  waitMs: number,
): Promise<boolean> {
  const deadline = Date.now() + waitMs;
  for (;;) {
    if (await condition()) return true;
    if (Date.now() >= deadline) return false;
    await delay(40);
  }
}

/**
 * Starts a long-running process in a session of its own (a Ctrl-C in the terminal is not for it) with its output in
 * `logFile`, and resolves when it is running. When this process exits without having ended it, it gets `lastSignal`.
 */
export async function startProcess(
  command: string,
  args: string[],
  { logFile, lastSignal, ...options }: SpawnOptions & { logFile: string; lastSignal: NodeJS.Signals },
): Promise<{ child: ChildProcess; mark: ProcessMark }> {
  mkdirSync(path.dirname(logFile), { recursive: true });
  const log = openSync(logFile, 'a');
  try {
    const child = spawn(command, args, { ...options, detached: true, stdio: ['ignore', log, log] });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    endWithThisProcess(child, lastSignal);
    const mark = child.pid === undefined ? undefined : markProcess(child.pid);
    if (!mark) throw new Error(`${command} ended at once; see ${logFile}`);
    return { child, mark };
  } finally {
    closeSync(log);
  }
}

const owned = new Map<ChildProcess, NodeJS.Signals>();

/** Sends the child a signal if this process exits before it does. */
export function endWithThisProcess(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  if (owned.size === 0) process.once('exit', signalOwned);
  owned.set(child, signal);
  child.once('exit', () => {
    owned.delete(child);
    if (owned.size === 0) process.off('exit', signalOwned);
  });
}

function signalOwned() {
  for (const [child, signal] of owned) child.kill(signal);
}

/** Ends every child that still runs and waits for it. */
export async function endOwnedProcesses(): Promise<void> {
  signalOwned();
  if (!(await waitUntil(() => owned.size === 0, 10_000))) killOwnedProcesses();
}

/** Kills every child that still runs, and what it started in its group. */
export function killOwnedProcesses(): void {
  for (const { pid } of owned.keys()) {
    if (pid === undefined) continue;
    // One that shares our process group leads none.
    for (const target of [-pid, pid]) sendSignal(target, 'SIGKILL');
  }
}

/** The code of an error of Node's or of a driver's; empty for any other. */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** Sends a signal to a process, or does nothing if it has ended. */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (errorCode(error) !== 'ESRCH') throw error;
  }
}

function startedOnLinux(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name, in parentheses, may hold anything; the state and, 19 fields on, the start time follow it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, threads, started] = [fields[0], Number(fields[17]), fields[19]];
    // After a SIGKILL the first thread may be the first to go; the process keeps its ports until the others have gone, too.
    if ((state === 'Z' && threads <= 1) || state === 'X') return undefined;
    // Start times count from the boot, so they only tell processes of one boot apart.
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}+${started}`;
  } catch {
    return undefined;
  }
}

function startedByPs(pid: number): string | undefined {
  try {
    return ps(pid, 'stat=').startsWith('Z') ? undefined : ps(pid, 'lstart=');
  } catch {
    return undefined;
  }
}

function ps(pid: number, column: string): string {
  return execFileSync('ps', ['-ww', '-o', column, '-p', String(pid)], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim();
}
