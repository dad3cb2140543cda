import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, readFile, realpath, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { removeData } from '../../../scripts/services/postgres-data.ts';
import { type ProcessMark, markProcess, readMark, waitUntil } from '../../../scripts/services/processes.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const copied = [
  'package.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'Procfile',
  'src',
  'workers',
  'migrations',
  'scripts',
];
const linked = ['node_modules', '.cache'];

/** It builds and starts everything: a minute and more on a busy machine. */
const startLimitMs = 240_000;

/** A run of `npm run local` and its output so far. */
export interface LocalRun {
  output(): string;
  /** The exit code, once it has exited. */
  ended: Promise<number | null>;
  /** Sends a signal to the process group, as a terminal does. */
  signal(signal: NodeJS.Signals): void;
}

/** A copy of this checkout in a folder with a space in its name, so that the original is not changed. */
export async function copyCheckout() {
  const folder = await mkdtemp(path.join(await realpath(tmpdir()), 'linkmill checkout '));
  await chmod(folder, 0o755);
  await mkdir(path.join(root, '.cache'), { recursive: true });
  for (const name of copied) await cp(path.join(root, name), path.join(folder, name), { recursive: true });
  for (const name of linked) await symlink(path.join(root, name), path.join(folder, name));
  const local = path.join(folder, '.local');
  const runs: LocalRun[] = [];

  return {
    folder,

    /** The latest run. */
    lastRun(): LocalRun {
      const last = runs.at(-1);
      if (!last) throw new Error('nothing was started');
      return last;
    },

    /** Starts `npm run local` as in a terminal, and resolves when everything runs or it has exited. Throws an Error with its output after the
     *  time limit. */
    async run(env: NodeJS.ProcessEnv): Promise<LocalRun> {
      const run = startLocal(folder, env);
      runs.push(run);
      let hasEnded = false;
      void run.ended.finally(() => (hasEnded = true));
      const isDone = () => hasEnded || run.output().includes('Ctrl-C stops everything');
      if (!(await waitUntil(isDone, startLimitMs))) throw new Error(`npm run local hangs:\n${run.output()}`);
      return run;
    },

    /** The running processes among supervisor, web, worker, Redis and PostgreSQL. */
    async processes(): Promise<ProcessMark[]> {
      const marks = ['run/local.json', 'run/web.json', 'run/worker.json', 'redis/running.json']
        .map((name) => readMark(path.join(local, name)))
        .map((mark) => mark && markProcess(mark.pid));
      const pidFile = path.join(local, 'postgres/postmaster.pid');
      const pid = existsSync(pidFile) ? Number.parseInt(await readFile(pidFile, 'utf8'), 10) : 0;
      return [...marks, pid ? markProcess(pid) : undefined].filter((mark) => mark !== undefined);
    },

    /** Stops all processes and removes the copy. */
    async remove(): Promise<void> {
      for (const run of runs) run.signal('SIGTERM');
      await Promise.all(runs.map(async (run) => run.ended));
      await removeData(path.join(local, 'postgres'));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function startLocal(cwd: string, env: NodeJS.ProcessEnv): LocalRun {
  const inherited = { ...process.env };
  for (const name of ['DATABASE_URL', 'REDIS_URL', 'LINKMILL_LOCAL_DIR']) delete inherited[name];
  const child = spawn('npm', ['run', 'local'], {
    cwd,
    env: { ...inherited, ...env },
    // Its own process group, as in a shell.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  return {
    output: () => output,
    ended: once(child, 'close').then(([code]: (number | null)[]) => code ?? null),
    signal: (signal) => signalGroup(child, signal),
  };
}

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals) {
  try {
    if (pid !== undefined) process.kill(-pid, signal);
  } catch {
    // It has already exited.
  }
}
