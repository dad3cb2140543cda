import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { findFreePort } from '../../../scripts/services/ports.ts';
import { waitUntil } from '../wait-until.ts';
import { readSlowness } from './slowness.ts';

export type Settings = Record<string, string>;

export interface TestProcess {
  pid: number;
  /** The output so far. */
  output: () => string;
  /** Sends a signal. */
  signal: (signal: NodeJS.Signals) => void;
  /** Resolves to its exit code, or to the signal that ended it. */
  ended: Promise<number | NodeJS.Signals>;
  /** Stops it with SIGTERM, and with SIGKILL after 30 s times the slowness of the machine. */
  stop: () => Promise<number | NodeJS.Signals>;
}

/** Time limit of a start or a SIGTERM on an idle machine. */
const patienceMs = 30_000;

const running = new Set<ChildProcess>();

/** Kills processes that were started here and not stopped. */
export function killLeftProcesses(): void {
  for (const child of running) child.kill('SIGKILL');
}

/** The command line of an entry file of a build, such as `src/web.js`, as in the Procfile. */
export const commandOf = (buildFolder: string, entry: string, args: string[] = []) => [
  '--enable-source-maps',
  path.join(buildFolder, entry),
  ...args,
];

/** Starts Node with a command line. Needs settings: nothing is inherited but PATH. `onEnd` is called when it has ended. With
 *  `maxFiles` limits its open files and sockets. */
export function launch(
  commandLine: string[],
  settings: Settings,
  onEnd = () => {},
  { maxFiles }: { maxFiles?: number | undefined } = {},
): TestProcess {
  const limit = maxFiles === undefined ? '' : `ulimit -n ${maxFiles}; `;
  const child = spawn('sh', ['-c', `${limit}exec "$0" "$@"`, process.execPath, ...commandLine], {
    env: environment(settings),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => (output += text));
  }
  const ended = endOf(child).finally(onEnd);
  return {
    pid: child.pid ?? 0,
    output: () => output,
    signal: (signal) => child.kill(signal),
    ended,
    stop: async () => {
      child.kill('SIGTERM');
      // A stopped process handles the signal after SIGCONT.
      child.kill('SIGCONT');
      const timer = setTimeout(() => child.kill('SIGKILL'), patienceMs * readSlowness());
      const result = await ended;
      clearTimeout(timer);
      return result;
    },
  };
}

/** Runs Node.js with a command line until it exits, with `input` on standard input. */
export async function runToEnd(commandLine: string[], settings: Settings, input = '') {
  const child = spawn(process.execPath, commandLine, { env: environment(settings) });
  // It may exit without reading its input.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), endOf(child)]);
  return { code, stdout, stderr };
}

/** The settings of a web process on `PORT` or a free port of the loopback interface. */
export async function placeWeb(settings: Settings): Promise<Settings & { BASE_URL: string }> {
  const PORT = settings['PORT'] ?? String(await findFreePort());
  return {
    HOST: '127.0.0.1',
    PORT,
    BASE_URL: `http://127.0.0.1:${PORT}`,
    SHUTDOWN_DRAIN_MS: '300',
    // All requests of a test come from one address, and often with one API key.
    RATE_LIMIT_PER_KEY: '0',
    RATE_LIMIT_PER_IP: '0',
    RATE_LIMIT_NOT_FOUND_PER_IP: '0',
    ...settings,
    // A path is below that port.
    ...(settings['BASE_URL']?.startsWith('/') && {
      BASE_URL: `http://127.0.0.1:${PORT}${settings['BASE_URL']}`,
    }),
  };
}

/** Resolves when the web process of these settings answers. */
export async function readyWeb(web: TestProcess, { BASE_URL }: { BASE_URL: string }) {
  await waitUntilLogged(web, 'web is listening');
  return { ...web, baseUrl: BASE_URL };
}

/** Resolves when a worker process consumes its queues. */
export async function readyWorker(worker: TestProcess): Promise<TestProcess> {
  await waitUntilLogged(worker, 'worker is running');
  return worker;
}

async function waitUntilLogged({ output, ended }: TestProcess, line: string): Promise<void> {
  let hasEnded = false;
  void ended.then(() => (hasEnded = true));
  await waitUntil(`"${line}"`, () => output().includes(line) || hasEnded, patienceMs).catch(() => undefined);
  if (!output().includes(line)) throw new Error(`a process did not log "${line}":\n${output()}`);
}

const environment = (settings: Settings) => ({ PATH: process.env['PATH'], ...settings });

async function endOf(child: ChildProcess): Promise<number | NodeJS.Signals> {
  running.add(child);
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  running.delete(child);
  return code ?? signal ?? 'SIGKILL';
}
