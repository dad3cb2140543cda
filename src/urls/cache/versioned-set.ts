import { createBatchLoader } from '../../resilience/batch-loader.ts';
import type { Breaker } from '../../resilience/circuit-breaker.ts';
import type { RedisClient } from '../../storage/redis/client.ts';
import { encodeChange } from '../changes/change.ts';

/** A value to store under a short code's key, unless the key has the same or a higher version. */
export interface VersionedValue {
  shortCode: string;
  key: string;
  version: number;
  value: string;
  ttlSeconds: number;
}

/** Writes "version:value" to each key unless it has the same or a higher version; the same version only renews the
 *  TTL. A tombstone is such a value: a reader that holds an older row cannot store a deleted short URL again. Publishes the first two arguments in every case: a reader may have stored the same version without publishing
 *  it. */
const setIfNewer = `
if ARGV[1] ~= '' then redis.call('publish', ARGV[1], ARGV[2]) end
local stored = {}
for i, key in ipairs(KEYS) do
  local version, value, ttl = unpack(ARGV, 3 * i, 3 * i + 2)
  local current = redis.call('get', key)
  local known = current and tonumber(string.match(current, '^(%d+):')) or -1
  if known == tonumber(version) and known > 0 then redis.call('expire', key, ttl) end
  stored[i] = known < tonumber(version) and 1 or 0
  if stored[i] == 1 then redis.call('set', key, version .. ':' .. value, 'EX', ttl) end
end
return stored`;

/** Stores the values of one turn of the event loop by one script call, or by one for each key in a cluster, where keys are on different nodes;
 *  resolves each to whether it was newer. With a channel it also publishes the changes, separated by spaces. */
export function createVersionedSet(
  redis: RedisClient,
  { channel = '', guard = async (call) => await call() }: { channel?: string; guard?: Breaker['run'] },
) {
  async function store(values: VersionedValue[]): Promise<number[]> {
    const keys = values.map(({ key }) => key);
    const changes = channel === '' ? '' : values.map(encodeChange).join(' ');
    const rest = values.flatMap(({ version, value, ttlSeconds }) => [version, value, ttlSeconds]);
    return (await redis.eval(setIfNewer, keys.length, ...keys, channel, changes, ...rest)) as number[];
  }

  return createBatchLoader<VersionedValue, boolean>(async (values) => {
    const calls = redis.isCluster ? values.map((value) => [value]) : [values];
    const stored = await guard(async () => await Promise.all(calls.map(store)));
    return stored.flat().map((isStored) => isStored === 1);
  });
}
