import type { Redis } from 'ioredis';
import type { Log } from '../../log.ts';

/** Above this share of its memory limit Redis is left to clicks, keys and jobs, which it must never refuse. */
const fullShare = 0.75;
const lookEveryMs = 5_000;

/** Watches how full Redis is. `hasRoom` says whether cache entries may be added: always where Redis has no limit. */
export function watchRedisMemory(redis: Redis, log: Log) {
  let room = true;

  async function look(): Promise<void> {
    try {
      const info = await redis.info('memory');
      const read = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
      const limit = read('maxmemory');
      const hadRoom = room;
      room = limit === 0 || read('used_memory') < limit * fullShare;
      if (hadRoom && !room) log.warn({ limit }, 'Redis is nearly full: nothing new is cached');
    } catch (error) {
      log.debug({ err: error }, 'the memory of Redis could not be read');
    }
  }

  void look();
  const timer = setInterval(() => void look(), lookEveryMs);
  return { hasRoom: () => room, stop: () => clearInterval(timer) };
}
