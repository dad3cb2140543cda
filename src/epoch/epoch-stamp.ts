import type { RedisClient } from '../storage/redis/client.ts';
import type { DurableState } from './epoch-evidence.ts';
import type { Epoch } from './epoch.ts';

/** The epoch that Redis belongs to, and the durable state of its database. */
export interface RedisEpoch {
  epoch: string;
  identity: string;
  number: number;
  versionFloor: number;
  version: number;
  walPosition: number | null;
  /** Time of the last heartbeat, in milliseconds of Redis' clock. */
  heartbeat: number;
  /** Age of the last heartbeat. */
  ageMs: number;
}

export type EpochStamp = ReturnType<typeof createEpochStamp>;

/** Writes the stamp unless Redis belongs to an epoch other than ARGV[1] (the writer's) and ARGV[2] (which it may
 *  replace). */
const writeStamp = `
local held = redis.call('hget', KEYS[1], 'epoch')
if held and held ~= ARGV[1] and held ~= ARGV[2] then return 0 end
local wal, version = tonumber(ARGV[6]), tonumber(ARGV[7])
if held == ARGV[1] then
  local seen = redis.call('hmget', KEYS[1], 'wal', 'version')
  if tonumber(seen[1] or '') and tonumber(seen[1]) > (wal or 0) then ARGV[6] = seen[1] end
  if tonumber(seen[2] or '') and tonumber(seen[2]) > version then ARGV[7] = seen[2] end
end
local time = redis.call('time')
redis.call('hset', KEYS[1], 'epoch', ARGV[1], 'identity', ARGV[3], 'number', ARGV[4], 'floor', ARGV[5],
  'wal', ARGV[6], 'version', ARGV[7], 'beat', time[1] .. string.sub('00000' .. time[2], -6, -4))
return 1`;

/** The stamp and the time, from one node: the clocks of a cluster differ. */
const readStamp = `return { redis.call('time'), redis.call('hgetall', KEYS[1]) }`;

/** Manages the stamp in Redis: the epoch and database that all keys under the prefix belong to. */
export function createEpochStamp(redis: RedisClient, prefix: string) {
  const key = `${prefix}:epoch`;

  return {
    /** Reads the stamp; undefined when Redis has none. */
    async read(): Promise<RedisEpoch | undefined> {
      const reply = await redis.eval(readStamp, 1, key);
      const [[seconds, microseconds], held] = reply as [[string, string], string[]];
      const fields = Object.fromEntries(
        held.flatMap((name, i) => (i % 2 === 0 ? [[name, held[i + 1]!]] : [])),
      );
      const { epoch, identity, number, floor, wal, version, beat: heartbeat } = fields;
      if (epoch === undefined || identity === undefined) return undefined;
      const nowMs = Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000);
      return {
        epoch,
        identity,
        number: Number(number),
        versionFloor: Number(floor),
        version: Number(version),
        walPosition: wal ? Number(wal) : null,
        heartbeat: Number(heartbeat),
        ageMs: nowMs - Number(heartbeat),
      };
    },

    /** Writes the stamp with the durable state of the database, or renews it. Returns false when Redis belongs to an
     *  epoch other than `replaced`. */
    async write(epoch: Epoch, { walPosition, version }: DurableState, replaced?: string): Promise<boolean> {
      const { number, identity, versionFloor } = epoch;
      const values = [identity, number, versionFloor, walPosition ?? '', version];
      return (await redis.eval(writeStamp, 1, key, epoch.epoch, replaced ?? '', ...values)) === 1;
    },

    /** Deletes data that a later epoch cannot use: the key pool and the cache watermark. */
    async deleteEpochData(): Promise<void> {
      await Promise.all([redis.del(`${prefix}:keys:pool`), redis.del(`${prefix}:urls:watermark`)]);
    },
  };
}
