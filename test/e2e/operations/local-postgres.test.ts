import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { removeData } from '../../../scripts/services/postgres-data.ts';
import { type Postgres, startPostgres } from '../../../scripts/services/postgres.ts';
import { markProcess } from '../../../scripts/services/processes.ts';
import { startUnderKilledSupervisor } from '../../scripts/supervisor.ts';

const options = { timeout: 60_000 };
let folder: string;
let dataDir: string;
const running: { stop(): Promise<void> }[] = [];

beforeEach(async () => {
  folder = await mkdtemp(path.join(await realpath(tmpdir()), 'linkmill postgres '));
  // As root, PostgreSQL runs as another user, which needs access to this folder.
  await chmod(folder, 0o755);
  dataDir = path.join(folder, 'data');
});

afterEach(async () => {
  for (const server of running.splice(0)) await server.stop();
  await removeData(dataDir);
  await rm(folder, { recursive: true, force: true });
});

async function start(): Promise<Postgres> {
  const server = await startPostgres({ dataDir, flags: ['fsync=off'], print: () => undefined });
  running.push(server);
  return server;
}

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<Record<string, unknown>>(sql);
    return rows.flatMap((row) => Object.values(row));
  } finally {
    await client.end();
  }
}

test('a private PostgreSQL keeps its data and its password on the next start', options, async () => {
  const first = await start();
  await query(first.url, `create table stored as select 'yes' as stored`);
  await first.stop();
  const second = await start();
  expect(await query(second.url, 'select stored from stored')).toEqual(['yes']);
  expect(new URL(second.url).password).toBe(new URL(first.url).password);
});

test('a private PostgreSQL whose supervisor was killed restarts with its data', options, async () => {
  const orphan = await startUnderKilledSupervisor(`
    const { startPostgres } = await import(services + 'postgres.ts');
    const server = await startPostgres({ dataDir: ${JSON.stringify(dataDir)}, flags: ['fsync=off'], print() {} });`);
  await query(orphan.url, `create table stored as select 'yes' as stored`);
  const next = await start();
  expect(markProcess(orphan.pid)).toBeUndefined();
  expect(await query(next.url, 'select stored from stored')).toEqual(['yes']);
});

test('a private PostgreSQL that was killed restarts with its data', options, async () => {
  const first = await start();
  await query(first.url, `create table stored as select 'yes' as stored`);
  process.kill(first.pid, 'SIGKILL');
  const second = await start();
  expect(await query(second.url, 'select stored from stored')).toEqual(['yes']);
});

test(
  'a program that reuses the PID of an ended PostgreSQL neither blocks a start nor is ended',
  options,
  async () => {
    const first = await start();
    const pidFile = path.join(dataDir, 'postmaster.pid');
    const content = await readFile(pidFile, 'utf8');
    await first.stop();
    const unrelated = spawn('sleep', ['60']);
    running.push({ stop: async () => void unrelated.kill() });
    await writeFile(pidFile, content.replace(String(first.pid), String(unrelated.pid)));
    await start();
    expect(isAlive(unrelated)).toBe(true);
  },
);

test('a private PostgreSQL stops within 10 s while a client is connected', options, async () => {
  const server = await start();
  const client = new Client({ connectionString: server.url });
  client.on('error', () => undefined);
  await client.connect();
  const began = performance.now();
  await server.stop();
  expect(performance.now() - began).toBeLessThan(10_000);
  expect(markProcess(server.pid)).toBeUndefined();
});

test(
  'a private PostgreSQL accepts connections only with its password and at 127.0.0.1',
  options,
  async () => {
    const { url } = await start();
    const guessed = new URL(url);
    guessed.password = 'guessed';
    await expect(query(guessed.href, 'select 1')).rejects.toThrow('password authentication failed');
    expect(await query(url, 'show listen_addresses')).toEqual(['127.0.0.1']);
    expect(await query(url, 'show unix_socket_directories')).toEqual(['']);
  },
);

test('a private PostgreSQL starts after an interrupted first start', options, async () => {
  await mkdir(`${dataDir}.new`);
  await writeFile(path.join(`${dataDir}.new`, 'PG_VERSION'), '18');
  await writeFile(`${dataDir}.password`, 'of the interrupted start');
  expect(await query((await start()).url, 'select 1')).toEqual([1]);
});

function isAlive(child: ChildProcess): boolean {
  return child.pid !== undefined && markProcess(child.pid) !== undefined;
}
