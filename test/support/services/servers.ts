import { spawnSync } from 'node:child_process';
import { appendFile, chmod, cp, mkdtemp, readdir, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import { findFreePort } from '../../../scripts/services/ports.ts';
import type { PostgresBinaries } from '../../../scripts/services/postgres-binaries.ts';
import { endLeftOver as endLeftOverPostgres, removeData } from '../../../scripts/services/postgres-data.ts';
import { startPostgres } from '../../../scripts/services/postgres.ts';
import { isRunning, markProcess, readMark, sendSignal } from '../../../scripts/services/processes.ts';
import { endLeftOver as endLeftOverRedis, startRedis } from '../../../scripts/services/redis.ts';
import { waitUntil } from '../wait-until.ts';

/** A server of one test, with a fixed address. */
export interface TestServer {
  readonly url: string;
  readonly port: number;
  /** Changes with each start. */
  readonly pid: number;
  /** Kills all its processes, like a power failure, and resolves when they have ended. */
  kill(): Promise<void>;
  /** Starts it after `kill`, on the same port with its saved data. */
  start(): Promise<void>;
  /** Stops (SIGSTOP) all its processes: connections stay open without answers. */
  hang(): void;
  /** Ends a `hang`. */
  resume(): void;
  /** Stops it and removes its folder. */
  stop(): Promise<void>;
}

export interface TestPostgres extends TestServer {
  /** The folder with its data. */
  dataDir: string;
}

export interface TestRedis extends TestServer {
  /** The folder with its data. */
  dataDir: string;
}

/** Starts a PostgreSQL with an empty database, without fsync for speed. With `keepsCommits`, commits survive a
 *  `kill`. */
export async function startTestPostgres({
  keepsCommits = false,
  binaries = undefined as PostgresBinaries | undefined,
} = {}): Promise<TestPostgres> {
  const folder = await makeFolder();
  const dataDir = path.join(folder, 'postgres');
  const flags = [...postgresFlags, `synchronous_commit=${keepsCommits ? 'on' : 'off'}`];
  const server = await keep(folder, (port) =>
    startPostgres({ dataDir, port, flags, binaries, print: printNothing }),
  );
  return Object.assign(server, { dataDir });
}

const postgresFlags = [
  'fsync=off',
  'full_page_writes=off',
  'max_connections=200',
  // In the data folder, so that a killed server leaves nothing in shared memory.
  'dynamic_shared_memory_type=mmap',
];

/** Starts a standby of a PostgreSQL, which is killed and started again for that. */
export async function startTestStandby(primary: TestPostgres): Promise<TestPostgres> {
  const folder = await makeFolder();
  const dataDir = path.join(folder, 'postgres');
  await primary.kill();
  await cp(await realpath(primary.dataDir), dataDir, { recursive: true, preserveTimestamps: true });
  await chownLike(await realpath(primary.dataDir), dataDir);
  await rm(path.join(dataDir, 'postmaster.pid'), { force: true });
  const { username, password } = new URL(primary.url);
  const source = `host=127.0.0.1 port=${primary.port} user=${username} password=${password}`;
  await appendFile(path.join(dataDir, 'postgresql.auto.conf'), `primary_conninfo = '${source}'\n`);
  await writeFile(path.join(dataDir, 'standby.signal'), '');
  await primary.start();
  const flags = [...postgresFlags, 'synchronous_commit=on'];
  const standby = await keep(folder, (port) => startPostgres({ dataDir, port, flags, print: printNothing }));
  return Object.assign(standby, { dataDir });
}

/** Runs statements with a connection of its own. */
export async function runSql(url: string, statements: string[]): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

/** Gives the files of a copy to the owner of the original. */
async function chownLike(original: string, copy: string): Promise<void> {
  const { uid, gid } = await stat(original);
  spawnSync('chown', ['-R', `${uid}:${gid}`, copy]);
}

/** Starts an empty Redis; with `appendonly` a `kill` loses at most the last second of writes. */
export async function startTestRedis({ appendonly = false, args = [] as string[] } = {}): Promise<TestRedis> {
  const folder = await makeFolder();
  const dataDir = path.join(folder, 'redis');
  const server = await keep(folder, (port) =>
    startRedis({ dataDir, port, appendonly, args, print: printNothing }),
  );
  return Object.assign(server, { dataDir });
}

interface RunningServer {
  url: string;
  port: number;
  pid: number;
  stop(): Promise<void>;
}

async function keep(folder: string, startOn: (port: number) => Promise<RunningServer>): Promise<TestServer> {
  let running = await startOn(await findFreePort());
  const { url, port } = running;
  return {
    url,
    port,
    get pid() {
      return running.pid;
    },
    kill: async () => {
      const family = signalFamily(running.pid, 'SIGKILL');
      await waitUntil('the server has ended', () => family.every((pid) => markProcess(pid) === undefined));
    },
    start: async () => {
      running = await startOn(port);
    },
    hang: () => {
      signalFamily(running.pid, 'SIGSTOP');
    },
    resume: () => void signalFamily(running.pid, 'SIGCONT'),
    stop: async () => {
      await running.stop();
      await removeFolder(folder);
    },
  };
}

/** Sends a signal to a server and each of its children (PostgreSQL has one per connection). Returns their pids. */
function signalFamily(parent: number, signal: NodeJS.Signals): number[] {
  // The server first, so that it starts no further child.
  sendSignal(parent, 'SIGSTOP');
  const children = spawnSync('pgrep', ['-P', String(parent)], { encoding: 'utf8' }).stdout;
  const pids = [parent, ...children.split('\n').filter(Boolean).map(Number)];
  for (const pid of pids) sendSignal(pid, signal);
  return pids;
}

const prefix = 'linkmill-test-';

/** A folder that other users may enter: under root, PostgreSQL runs as another user. */
async function makeFolder(): Promise<string> {
  await sweep();
  const folder = await mkdtemp(path.join(await realpath(tmpdir()), prefix));
  await chmod(folder, 0o755);
  await writeFile(ownerFile(folder), JSON.stringify(markProcess(process.pid)));
  return folder;
}

async function removeFolder(folder: string) {
  await removeData(path.join(folder, 'postgres'));
  await rm(folder, { recursive: true, force: true });
}

/** Stops and removes servers of killed test runs. */
async function sweep() {
  const temporary = await realpath(tmpdir());
  for (const name of await readdir(temporary)) {
    const folder = path.join(temporary, name);
    if (!name.startsWith(prefix) || !(await isAbandoned(folder))) continue;
    await endLeftOverPostgres(path.join(folder, 'postgres'), printNothing);
    await endLeftOverRedis(path.join(folder, 'redis'), printNothing);
    await removeFolder(folder);
  }
}

async function isAbandoned(folder: string): Promise<boolean> {
  // Another test may be removing it.
  const folderInfo = await stat(folder).catch(() => undefined);
  // A folder without an owner is being created.
  const owner = readMark(ownerFile(folder));
  return folderInfo?.uid === process.getuid?.() && owner !== undefined && !isRunning(owner);
}

function ownerFile(folder: string): string {
  return path.join(folder, 'owner.json');
}

function printNothing() {}
