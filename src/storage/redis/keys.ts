import { Cluster, type Redis } from 'ioredis';
import { primariesOf, type RedisClient } from './client.ts';

/** The values of keys, in order. In a cluster, commands with several keys need them on one node: each key has its own command there. */
export async function getMany(redis: RedisClient, keys: string[]): Promise<(string | null)[]> {
  if (!(redis instanceof Cluster)) return await redis.mget(keys);
  return await Promise.all(keys.map(async (key) => await redis.get(key)));
}

/** The number of keys on all nodes. */
export async function countKeys(redis: RedisClient): Promise<number> {
  const sizes = await Promise.all(primariesOf(redis).map(async (node) => await node.dbsize()));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** One step of a scan of all nodes, which begins and ends with the cursor "0". Between these, the cursor of a cluster also names the node. Throws
 *  when that node no longer has keys: those of its successor are scanned only from the beginning. */
export async function scanKeys(
  redis: RedisClient,
  { cursor, pattern, count }: { cursor: string; pattern: string; count: number },
): Promise<{ next: string; keys: string[] }> {
  if (!(redis instanceof Cluster)) return await scanNode(redis, cursor, { pattern, count });
  const nodes = new Map(primariesOf(redis).map((node) => [nameOf(node), node]));
  const names = [...nodes.keys()].sort();
  const [at = '0', name = names[0] ?? ''] = cursor.split(' ');
  const node = nodes.get(name);
  if (node === undefined) throw new Error(`the node ${name} of the cluster has no keys any more`);
  const { next, keys } = await scanNode(node, at, { pattern, count });
  const following = names[names.indexOf(name) + 1];
  if (next !== '0') return { next: `${next} ${name}`, keys };
  return { next: following === undefined ? '0' : `0 ${following}`, keys };
}

const nameOf = ({ options: { host, port } }: Redis) => `${host}:${port}`;

async function scanNode(
  node: Redis,
  cursor: string,
  { pattern, count }: { pattern: string; count: number },
): Promise<{ next: string; keys: string[] }> {
  const [next, keys] = await node.scan(cursor, 'MATCH', pattern, 'COUNT', count);
  return { next, keys };
}
