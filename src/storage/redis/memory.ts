import type { Log } from '../../log.ts';
import { createPoller } from '../../resilience/poller.ts';
import { primariesOf, type RedisClient } from './client.ts';

/** Share of its memory limit above which Redis takes no new cache entries: the rest is for clicks, keys and jobs. */
const fullShare = 0.75;
const pollEveryMs = 5_000;

/** The memory usage of Redis; of all primaries together in a cluster. */
export interface RedisMemory {
  usedBytes: number;
  /** 0 without a limit. */
  maxBytes: number;
  policy: string | undefined;
}

export type RedisMemoryWatch = ReturnType<typeof watchRedisMemory>;

/** Watches the memory usage of Redis. `hasRoom` returns whether cache entries may be added; always true without a memory limit, and with
 *  `mayEvict` where Redis evicts. */
export function watchRedisMemory(redis: RedisClient, log: Log, { mayEvict = false } = {}) {
  let room = true;
  let latest: RedisMemory | undefined;

  async function check(): Promise<void> {
    const nodes = await Promise.all(
      primariesOf(redis).map(async (node) => toMemory(await node.info('memory'))),
    );
    if (nodes.length === 0) throw new Error('no node of the cluster is known');
    const sumOf = (key: 'usedBytes' | 'maxBytes') => nodes.reduce((sum, node) => sum + node[key], 0);
    const evicting = nodes.find(({ policy }) => policy !== 'noeviction');
    latest = {
      usedBytes: sumOf('usedBytes'),
      maxBytes: sumOf('maxBytes'),
      policy: (evicting ?? nodes[0])?.policy,
    };
    const full = nodes.find(
      ({ usedBytes, maxBytes, policy }) =>
        maxBytes > 0 && usedBytes >= maxBytes * fullShare && !(mayEvict && policy !== 'noeviction'),
    );
    const hadRoom = room;
    room = full === undefined;
    if (hadRoom && full) log.warn({ limit: full.maxBytes }, 'Redis is nearly full, caching no new entries');
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

function toMemory(info: string): RedisMemory {
  const read = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
  const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1];
  return { usedBytes: read('used_memory'), maxBytes: read('maxmemory'), policy };
}
