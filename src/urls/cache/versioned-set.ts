import type { Redis } from 'ioredis';
import { createBatchLoader } from '../../resilience/batch-loader.ts';
import type { Breaker } from '../../resilience/circuit-breaker.ts';
import { writeChange } from '../changes/change.ts';

/** A value that a short code's key is to have, unless it has one of the same or a higher version. */
export interface VersionedValue {
  shortCode: string;
  key: string;
  version: number;
  value: string;
  ttlSeconds: number;
}

/** Writes "version:value" to each key unless what is there has the same or a higher version; the same version is the same value,
 *  which lives on. What the first two arguments say is announced all the same: whoever wrote it before us may have been a reader. */
const setIfNewer = `
if ARGV[1] ~= '' then redis.call('publish', ARGV[1], ARGV[2]) end
local stored = {}
for i, key in ipairs(KEYS) do
  local version, value, ttl = unpack(ARGV, 3 * i, 3 * i + 2)
  local current = redis.call('get', key)
  local held = current and tonumber(string.match(current, '^(%d+):')) or -1
  if held == tonumber(version) and held > 0 then redis.call('expire', key, ttl) end
  stored[i] = held < tonumber(version) and 1 or 0
  if stored[i] == 1 then redis.call('set', key, version .. ':' .. value, 'EX', ttl) end
end
return stored`;

/** Stores values by one script call for all of one turn of the event loop, which resolves each to whether it was newer than
 *  what was there. With a channel they are announced on it, as changes separated by spaces. */
export function createVersionedSet(
  redis: Redis,
  { channel = '', guard = async (call) => await call() }: { channel?: string; guard?: Breaker['run'] },
) {
  return createBatchLoader<VersionedValue, boolean>(async (values) => {
    const keys = values.map(({ key }) => key);
    const announced = channel === '' ? '' : values.map(writeChange).join(' ');
    const rest = values.flatMap(({ version, value, ttlSeconds }) => [version, value, ttlSeconds]);
    const stored = await guard(
      async () => await redis.eval(setIfNewer, keys.length, ...keys, channel, announced, ...rest),
    );
    return (stored as number[]).map((one) => one === 1);
  });
}
