import type { Redis } from 'ioredis';
import type { Log } from '../log.ts';
import { createPoller } from '../resilience/poller.ts';
import { type JobName, jobNames } from './jobs.ts';

/** How often a worker process says that it is alive, and how long each heartbeat counts. */
const beatMs = 5_000;
const aliveMs = 15_000;

/** Members are "process queue", scores the time of the heartbeat by Redis' clock, which is the same for all processes. */
const beatScript = `
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[1])
  for i = 2, #ARGV do redis.call('ZADD', KEYS[1], now, ARGV[i]) end
  redis.call('PEXPIRE', KEYS[1], ARGV[1])`;
const readScript = `
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  return redis.call('ZRANGEBYSCORE', KEYS[1], now - ARGV[1], '+inf')`;

const keyOf = (prefix: string) => `${prefix}:workers`;

/** Keeps telling that this process serves these queues. Returns what stops it, after which the process no longer counts. While
 *  Redis is down nothing is sent, and nothing is logged: the connection reports that. */
export function sendHeartbeats(deps: {
  redis: Redis;
  prefix: string;
  /** Different for each process. */
  processId: string;
  names: JobName[];
  log: Log;
}): () => Promise<void> {
  const { redis, prefix, processId, names, log } = deps;
  const members = names.map((name) => `${processId} ${name}`);

  const poller = createPoller({
    everyMs: beatMs,
    run: async () => void (await redis.eval(beatScript, 1, keyOf(prefix), aliveMs, ...members)),
    onFailure: (error) => log.debug({ err: error }, 'failed to send a heartbeat'),
  });
  void poller.poll();
  return async () => {
    void poller.stop();
    if (redis.status === 'ready') await redis.zrem(keyOf(prefix), ...members);
  };
}

export type WorkerCounts = ReturnType<typeof createWorkerCounts>;

/** Counts the worker processes that are alive. */
export const createWorkerCounts = (redis: Redis, prefix: string) => ({
  /** For each queue, the worker processes that served it within the last 15 s. */
  async read(): Promise<Record<JobName, number>> {
    const members = (await redis.eval(readScript, 1, keyOf(prefix), aliveMs)) as string[];
    const served = members.map((member) => member.slice(member.indexOf(' ') + 1));
    const counts = jobNames.map((name) => [name, served.filter((queue) => queue === name).length]);
    return Object.fromEntries(counts) as Record<JobName, number>;
  },
});
