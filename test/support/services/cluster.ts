import { Redis } from 'ioredis';
import { findFreePort } from '../../../scripts/services/ports.ts';
import { waitUntil } from '../wait-until.ts';
import { startTestRedis, type TestRedis } from './servers.ts';

const slots = 16_384;
const primaries = 3;
const downAfterMs = 1_000;

export type TestCluster = Awaited<ReturnType<typeof startTestCluster>>;

/** A Redis Cluster of three primaries, each with a replica unless `hasReplicas` is false. A replica is promoted when its primary is down for a
 *  second. */
export async function startTestCluster({ hasReplicas = true } = {}) {
  const count = hasReplicas ? 2 * primaries : primaries;
  const args = ['--cluster-enabled', 'yes', '--cluster-node-timeout', String(downAfterMs)];
  args.push('--repl-diskless-sync-delay', '0');
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const busPort = await findFreePort();
      const clusterArgs = [...args, '--cluster-port', String(busPort)];
      return Object.assign(await startTestRedis({ args: clusterArgs, appendonly: true }), { busPort });
    }),
  );
  const clients = servers.map(({ port }) => connectTo(port));
  await Promise.all(
    clients.slice(0, primaries).map(async (client, i) => {
      const [first, next] = [i, i + 1].map((n) => Math.floor((n * slots) / primaries)) as [number, number];
      await client.call('CLUSTER', 'ADDSLOTSRANGE', String(first), String(next - 1));
    }),
  );
  for (const { port, busPort } of servers.slice(1))
    await clients[0]!.call('CLUSTER', 'MEET', '127.0.0.1', String(port), String(busPort));
  const knowsAll = async (client: Redis) =>
    (await nodesOf(client)).filter(({ flags }) => !flags.includes('handshake')).length === count;
  await waitUntil('the nodes know each other', async () =>
    (await Promise.all(clients.map(knowsAll))).every(Boolean),
  );
  await Promise.all(
    clients.slice(primaries).map(async (client, i) => {
      const id = (await clients[i]!.call('CLUSTER', 'MYID')) as string;
      await client.call('CLUSTER', 'REPLICATE', id);
    }),
  );
  await waitUntil(
    'the cluster is complete',
    async () => {
      const states = await Promise.all(clients.map(async (client) => await client.cluster('INFO')));
      const replicas = await Promise.all(
        clients.slice(primaries).map(async (client) => await client.info('replication')),
      );
      // Only a replica that has received all data can be promoted.
      const areReady = replicas.every((info) => info.includes('master_link_status:up'));
      return areReady && states.every((state) => state.includes('cluster_state:ok'));
    },
    30_000,
  );

  return {
    url: `redis+cluster://${servers.map(({ port }) => `127.0.0.1:${port}`).join(',')}`,
    servers,
    clients,

    /** The primary of the slot of a key. */
    async primaryOf(key: string): Promise<TestRedis> {
      const slot = (await clients.at(-1)!.call('CLUSTER', 'KEYSLOT', key)) as number;
      const found = (await clients.at(-1)!.call('CLUSTER', 'SLOTS')) as [number, number, [string, number]][];
      const [, , [, port]] = found.find(([first, last]) => slot >= first && slot <= last)!;
      return servers.find((server) => server.port === port)!;
    },

    async stop(): Promise<void> {
      for (const client of clients) client.disconnect();
      await Promise.all(servers.map(async (server) => await server.stop()));
    },
  };
}

function connectTo(port: number): Redis {
  const client = new Redis({ port, host: '127.0.0.1' });
  // It tries again until the node listens.
  client.on('error', () => undefined);
  return client;
}

async function nodesOf(client: Redis): Promise<{ flags: string }[]> {
  const text = (await client.call('CLUSTER', 'NODES')) as string;
  return text
    .trim()
    .split('\n')
    .map((line) => ({ flags: line.split(' ')[2]! }));
}
