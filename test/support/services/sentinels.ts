import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';
import { findFreePort } from '../../../scripts/services/ports.ts';
import { endProcess, startProcess } from '../../../scripts/services/processes.ts';
import { findRedisServer } from '../../../scripts/services/redis-server.ts';
import { waitUntil } from '../wait-until.ts';
import { startTestRedis } from './servers.ts';

const name = 'links';
const count = 3;
const downAfterMs = 1_000;

/** A primary and a replica of Redis with three sentinels, which promote the replica when the primary is down for a second. */
export async function startTestSentinels() {
  const first = await startTestRedis();
  const second = await startTestRedis({ args: ['--replicaof', '127.0.0.1', String(first.port)] });
  const folder = await mkdtemp(path.join(await realpath(tmpdir()), 'linkmill-sentinels-'));
  const sentinels = await Promise.all(
    Array.from({ length: count }, async (_, i) => await startSentinel(folder, i, first.port)),
  );
  const client = new Redis({ port: sentinels[0]!.port });
  // It tries again until the sentinel listens.
  client.on('error', () => undefined);

  async function primaryPort(): Promise<number> {
    const address = (await client.call('SENTINEL', 'get-master-addr-by-name', name)) as string[] | null;
    return Number(address?.[1]);
  }

  await waitUntil('the sentinels know each other and the replica', async () => {
    const [sentinelsOf, replicas] = await Promise.all([
      client.call('SENTINEL', 'sentinels', name),
      client.call('SENTINEL', 'replicas', name),
    ]);
    return (sentinelsOf as unknown[]).length === count - 1 && (replicas as unknown[]).length === 1;
  });

  return {
    name,
    hosts: sentinels.map(({ port }) => `127.0.0.1:${port}`).join(','),
    first,
    second,
    primaryPort,

    /** Asks the sentinels to promote the replica while the primary runs. */
    async failOver(): Promise<void> {
      await client.call('SENTINEL', 'failover', name);
    },

    async stop(): Promise<void> {
      client.disconnect();
      await Promise.all(sentinels.map(async ({ stop }) => await stop()));
      await Promise.all([first.stop(), second.stop()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function startSentinel(folder: string, i: number, primaryPort: number) {
  const port = await findFreePort();
  const file = path.join(folder, `sentinel-${i}.conf`);
  const lines = [
    'bind 127.0.0.1',
    `port ${port}`,
    `dir ${folder}`,
    `sentinel monitor ${name} 127.0.0.1 ${primaryPort} ${Math.ceil((count + 1) / 2)}`,
    `sentinel down-after-milliseconds ${name} ${downAfterMs}`,
    `sentinel failover-timeout ${name} 10000`,
  ];
  // A sentinel rewrites its configuration.
  await writeFile(file, `${lines.join('\n')}\n`);
  const server = await findRedisServer(() => undefined);
  const { mark } = await startProcess(server.path, [file, '--sentinel'], {
    env: { ...process.env, ...server.env },
    logFile: `${file}.log`,
    lastSignal: 'SIGTERM',
  });
  return {
    port,
    stop: async () =>
      await endProcess(mark, [
        ['SIGTERM', 5_000],
        ['SIGKILL', 5_000],
      ]),
  };
}
