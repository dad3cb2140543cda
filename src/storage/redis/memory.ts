import type { Redis } from 'ioredis';
import type { Log } from '../../log.ts';
import { createPoller } from '../../resilience/poller.ts';

/** Share of its memory limit above which Redis takes no new cache entries: the rest is for clicks, keys and jobs. */
const fullShare = 0.75;
const pollEveryMs = 5_000;

/** The memory usage of Redis. */
export interface RedisMemory {
  usedBytes: number;
  /** 0 without a limit. */
  maxBytes: number;
  policy: string | undefined;
}

export type RedisMemoryWatch = ReturnType<typeof watchRedisMemory>;

/** Watches the memory usage of Redis. `hasRoom` returns whether cache entries may be added; always true without a memory limit. */
export function watchRedisMemory(redis: Redis, log: Log) {
  let room = true;
  let latest: RedisMemory | undefined;

  async function check(): Promise<void> {
    const info = await redis.info('memory');
    const read = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
    const limit = read('maxmemory');
    const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1];
    latest = { usedBytes: read('used_memory'), maxBytes: limit, policy };
    const hadRoom = room;
    room = limit === 0 || read('used_memory') < limit * fullShare;
    if (hadRoom && !room) log.warn({ limit }, 'Redis is nearly full, caching no new entries');
  }

  const poller = createPoller({
    everyMs: pollEveryMs,
    run: check,
    onFailure(error) {
      latest = undefined;
      log.debug({ err: error }, 'failed to read the memory usage of Redis');
    },
  });
  void poller.poll();
  return {
    hasRoom: () => room,

    /** The last reading, at most 5 s old; undefined while Redis does not answer. */
    latest: () => latest,

    stop: () => void poller.stop(),
  };
}
