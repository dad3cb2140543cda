import type { ChildProcess } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import path from 'node:path';
import { readLogSince, rememberLogEnd } from './log-file.ts';
import { findFreePort } from './ports.ts';
import {
  type EndingSteps,
  endProcess,
  isRunning,
  readMark,
  saveMark,
  startProcess,
  waitUntil,
} from './processes.ts';
import { type RedisServer, findRedisServer } from './redis-server.ts';

/** Options of a private Redis. */
export interface RedisOptions {
  /** Its folder, created if missing; at most one Redis uses it. */
  dataDir: string;
  /** A free port by default. */
  port?: number;
  /** Whether data survives a restart, in an append-only file with an fsync per second. */
  appendonly?: boolean;
  /** Further arguments of redis-server, such as `['--maxmemory', '64mb']`. */
  args?: string[];
  print: (line: string) => void;
}

/** A running private Redis. */
export interface Redis {
  url: string;
  port: number;
  pid: number;
  child: ChildProcess;
  /** Resolves when the process has ended; may be called twice. */
  stop(): Promise<void>;
}

/** Long enough to load a large append-only file. */
const readyWithinMs = 60_000;
const ending: EndingSteps = [
  ['SIGTERM', 10_000],
  ['SIGKILL', 5_000],
];

/** Starts a Redis that listens only on 127.0.0.1 and never evicts, and resolves when it answers. Stops one that an
 *  earlier, killed supervisor left running in the same folder. Its log is `<dataDir>.log`. */
export async function startRedis({ dataDir, print, ...options }: RedisOptions): Promise<Redis> {
  const server = await findRedisServer(print);
  await mkdir(dataDir, { recursive: true });
  await endLeftOver(dataDir, print);
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await findFreePort());
    const log = rememberLogEnd(`${dataDir}.log`);
    const redis = await spawnRedis(server, dataDir, port, options);
    if (await answersInTime(redis)) return redis;
    await redis.stop();
    const output = readLogSince(log);
    // Another process took the free port before this server did.
    if (options.port === undefined && attempt < 3 && output.includes('Address already in use')) continue;
    throw new Error(`Redis did not start:\n${output.trim()}`);
  }
}

async function spawnRedis(
  server: RedisServer,
  dataDir: string,
  port: number,
  { appendonly = false, args = [] }: Pick<RedisOptions, 'appendonly' | 'args'>,
): Promise<Redis> {
  const settings = {
    bind: '127.0.0.1',
    port: String(port),
    dir: dataDir,
    save: '',
    appendonly: appendonly ? 'yes' : 'no',
    appendfsync: 'everysec',
    'maxmemory-policy': 'noeviction',
  };
  const { child, mark } = await startProcess(
    server.path,
    [...Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]), ...args],
    { env: { ...process.env, ...server.env }, logFile: `${dataDir}.log`, lastSignal: 'SIGTERM' },
  );
  saveMark(markFile(dataDir), mark);
  const stop = async () => {
    await endProcess(mark, ending);
    await rm(markFile(dataDir), { force: true });
  };
  return { url: `redis://127.0.0.1:${port}`, port, pid: mark.pid, child, stop };
}

async function answersInTime({ port, pid, child }: Redis): Promise<boolean> {
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  await waitUntil(async () => hasEnded() || (await isReady(port, pid)), readyWithinMs);
  return !hasEnded() && isReady(port, pid);
}

/** Checks the pid too: if the port was taken, another Redis answers while this one is exiting. */
async function isReady(port: number, pid: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('INFO\r\n'));
    let reply = '';
    const end = (answered: boolean) => {
      socket.destroy();
      resolve(answered);
    };
    socket.setEncoding('latin1').on('data', (text: string) => {
      reply += text;
      // It rejects commands while it loads its data.
      if (reply.includes('\r\nloading:'))
        end(reply.includes(`process_id:${pid}\r\n`) && reply.includes('loading:0'));
    });
    socket.once('error', () => end(false));
    socket.once('close', () => end(false));
    socket.setTimeout(1_000, () => end(false));
  });
}

/** Stops the Redis that a killed supervisor left running in this folder. */
export async function endLeftOver(dataDir: string, print: (line: string) => void) {
  const file = markFile(dataDir);
  const mark = readMark(file);
  if (mark && isRunning(mark)) {
    print(`stopping the Redis that an earlier run left behind (pid ${mark.pid})`);
    await endProcess(mark, ending);
  }
  await rm(file, { force: true });
}

function markFile(dataDir: string): string {
  return path.join(dataDir, 'running.json');
}
