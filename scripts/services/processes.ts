import { type ChildProcess, type SpawnOptions, execFileSync, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';

/** Identifies a process: `started` distinguishes it from a later one with the same pid. */
export type ProcessMark = z.infer<typeof markSchema>;
const markSchema = z.object({ pid: z.int().positive(), started: z.string() });

/** The signals that end a process, each with the time to wait after it. */
export type EndingSteps = readonly (readonly [signal: NodeJS.Signals, waitMs: number])[];

/** Marks a running process; undefined if no process has this pid, or only a zombie. A process whose first thread has
 *  ended is running until its last thread ends: it still holds its ports and files. */
export function markProcess(pid: number): ProcessMark | undefined {
  const started = process.platform === 'linux' ? startedOnLinux(pid) : startedByPs(pid);
  return started === undefined ? undefined : { pid, started };
}

/** The mark saved in a JSON file; undefined if it cannot be read. */
export function readMark(file: string): ProcessMark | undefined {
  if (!existsSync(file)) return undefined;
  try {
    return markSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined;
  }
}

/** Saves a mark for `readMark`. */
export function saveMark(file: string, mark: ProcessMark): void {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify(mark));
}

/** Whether exactly the marked process is running. */
export function isRunning(mark: ProcessMark): boolean {
  return markProcess(mark.pid)?.started === mark.started;
}

/** The command line of a process, joined by spaces; empty if it does not exist. */
export function commandOf(pid: number): string {
  try {
    return process.platform === 'linux'
      ? readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
      : ps(pid, 'command=');
  } catch {
    return '';
  }
}

/** Ends the marked process; with `group` a SIGKILL goes to its whole process group. Throws if it survives all steps. */
export async function endProcess(mark: ProcessMark, steps: EndingSteps, { group = false } = {}) {
  for (const [signal, waitMs] of steps) {
    if (!isRunning(mark)) break;
    sendSignal(group && signal === 'SIGKILL' ? -mark.pid : mark.pid, signal);
    // A stopped process (SIGSTOP) handles the signal only after SIGCONT.
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

/** Starts a long-running process in its own session, so that Ctrl-C in the terminal does not reach it, with its output
 *  in `logFile`. Resolves when it has begun. It gets `lastSignal` if this process exits first. */
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
    const pid = child.pid!;
    // It may have ended already; its caller sees that, and has its output.
    return { child, mark: markProcess(pid) ?? { pid, started: 'ended' } };
  } finally {
    closeSync(log);
  }
}

const owned = new Map<ChildProcess, NodeJS.Signals>();

/** Sends the child a signal if this process exits first. */
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

/** Ends every running child and waits for it. */
export async function endOwnedProcesses(): Promise<void> {
  signalOwned();
  if (!(await waitUntil(() => owned.size === 0, 10_000))) killOwnedProcesses();
}

/** Kills every running child with its process group. */
export function killOwnedProcesses(): void {
  for (const { pid } of owned.keys()) {
    if (pid === undefined) continue;
    // A child in this process's own group leads no group.
    for (const target of [-pid, pid]) sendSignal(target, 'SIGKILL');
  }
}

/** The code of an error of Node.js or a driver; empty for other errors. */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** Sends a signal to a process; does nothing if it has ended. */
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
    // The name, in parentheses, may contain anything; the state follows, and 19 fields later the start time.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, threads, started] = [fields[0], Number(fields[17]), fields[19]];
    // After a SIGKILL the first thread may end first; the process keeps its ports until all threads have ended.
    if ((state === 'Z' && threads <= 1) || state === 'X') return undefined;
    // Start times count from the boot, so they are comparable only within one boot.
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
