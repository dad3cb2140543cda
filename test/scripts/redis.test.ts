import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Redis as Client } from 'ioredis';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { markProcess } from '../../scripts/services/processes.ts';
import { type Redis, type RedisOptions, startRedis } from '../../scripts/services/redis.ts';
import { startTestRedis } from '../support/services/servers.ts';
import { startUnderKilledSupervisor } from './supervisor.ts';

let dataDir: string;
const running: { stop(): Promise<void> }[] = [];

beforeEach(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), 'linkmill redis '));
});

afterEach(async () => {
  for (const server of running.splice(0)) await server.stop();
  await rm(dataDir, { recursive: true, force: true });
  await rm(`${dataDir}.log`, { force: true });
});

async function start(more: Partial<RedisOptions> = {}): Promise<Redis> {
  const server = await startRedis({ dataDir, appendonly: true, print: () => undefined, ...more });
  running.push(server);
  return server;
}

async function withClient<T>(url: string, use: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client(url, { maxRetriesPerRequest: 1 });
  client.on('error', () => undefined);
  try {
    return await use(client);
  } finally {
    client.disconnect();
  }
}

const keep = async (client: Client) => client.set('kept', 'yes');
const kept = async (client: Client) => client.get('kept');

test('a private Redis with an append-only file keeps its data on the next start', async () => {
  const first = await start();
  await withClient(first.url, keep);
  await first.stop();
  expect(await withClient((await start()).url, kept)).toBe('yes');
});

test('a private Redis whose supervisor was killed restarts with its data', async () => {
  const orphan = await startUnderKilledSupervisor(`
    const { startRedis } = await import(services + 'redis.ts');
    const server = await startRedis({ dataDir: ${JSON.stringify(dataDir)}, appendonly: true, print() {} });`);
  await withClient(orphan.url, keep);
  const next = await start();
  expect(markProcess(orphan.pid)).toBeUndefined();
  expect(await withClient(next.url, kept)).toBe('yes');
});

test('a private Redis never evicts a key and listens at 127.0.0.1 only', async () => {
  const { url } = await start();
  const settings = await withClient(url, async (client) => client.config('GET', 'maxmemory-policy', 'bind'));
  expect(settings).toEqual(expect.arrayContaining(['noeviction', '127.0.0.1']));
});

test('stopping a private Redis that hangs ends its process', async () => {
  const server = await start();
  process.kill(server.pid, 'SIGSTOP');
  await server.stop();
  expect(markProcess(server.pid)).toBeUndefined();
});

test('a private Redis reports that its port is in use', async () => {
  const { port } = await start();
  const other = path.join(dataDir, 'other');
  await expect(start({ dataDir: other, port })).rejects.toThrow('Address already in use');
});

test('a killed test Redis has the same address and data after a restart', async () => {
  const redis = await startTestRedis({ appendonly: true, args: ['--appendfsync', 'always'] });
  running.push(redis);
  const { url } = redis;
  await withClient(url, keep);
  await redis.kill();
  await redis.start();
  expect(redis.url).toBe(url);
  expect(await withClient(url, kept)).toBe('yes');
});
