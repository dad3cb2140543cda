import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { inject } from 'vitest';
import { findFreePort } from '../../scripts/services/ports.ts';
import { track } from './resources.ts';
import { waitUntil } from './wait-until.ts';

type Settings = Record<string, string>;

export interface TestProcess {
  pid: number;
  /** Everything that it has written so far. */
  output: () => string;
  /** Sends a signal. */
  signal: (signal: NodeJS.Signals) => void;
  /** Resolves when it has ended, to its exit code, or to the signal that ended it. */
  ended: Promise<number | NodeJS.Signals>;
  /** Ends it: SIGTERM, and SIGKILL when that takes longer than 30 s. */
  stop: () => Promise<number | NodeJS.Signals>;
}

/** The build of this run, not the checkout's: a service may be running from that. */
const commandLine = (entry: string, args: string[]) => [
  '--enable-source-maps',
  path.join(inject('buildFolder'), entry),
  ...args,
];

const running = new Set<ChildProcess>();

/** Ends what a failed test did not stop. */
export function killLeftProcesses(): void {
  for (const child of running) child.kill('SIGKILL');
}

/** Runs a built entry file, such as `src/web.js`, as the Procfile does. Needs settings: nothing is inherited but PATH. */
export function startProcess(entry: string, settings: Settings, args: string[] = []): TestProcess {
  const child = spawn(process.execPath, commandLine(entry, args), {
    env: { PATH: process.env['PATH'], ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const closed = track(`process ${entry}`);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => (output += text));
  }
  const ended = endOf(child).finally(closed);
  return {
    pid: child.pid ?? 0,
    output: () => output,
    signal: (signal) => child.kill(signal),
    ended,
    stop: async () => {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 30_000);
      const result = await ended;
      clearTimeout(timer);
      return result;
    },
  };
}

async function endOf(child: ChildProcess): Promise<number | NodeJS.Signals> {
  running.add(child);
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  running.delete(child);
  return code ?? signal ?? 'SIGKILL';
}

/** Runs a built entry file until it ends by itself, with `input` on its standard input. */
export async function runProcess(entry: string, settings: Settings, args: string[] = [], input = '') {
  const child = spawn(process.execPath, commandLine(entry, args), {
    env: { PATH: process.env['PATH'], ...settings },
  });
  const closed = track(`process ${entry}`);
  // It may end without having read anything.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), endOf(child)]);
  closed();
  return { code, stdout, stderr };
}

/** A web process that answers on a free port of the loopback interface. */
export async function startWeb(settings: Settings): Promise<TestProcess & { baseUrl: string }> {
  const port = await findFreePort();
  const baseUrl = `http://127.0.0.1:${port}`;
  const web = startProcess('src/web.js', {
    HOST: '127.0.0.1',
    PORT: String(port),
    BASE_URL: baseUrl,
    SHUTDOWN_GRACE_MS: '300',
    ...settings,
  });
  await waitUntil('the web process answers', () => web.output().includes('web is listening'));
  return { ...web, baseUrl };
}

/** A worker process that consumes its queues. */
export async function startWorker(settings: Settings, args: string[] = []): Promise<TestProcess> {
  const worker = startProcess('workers/main.js', settings, args);
  await waitUntil('the worker process runs', () => worker.output().includes('worker is running'));
  return worker;
}
