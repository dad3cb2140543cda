import type { Log } from '../log.ts';
import { createPoller } from '../resilience/poller.ts';
import type { RedisClient } from '../storage/redis/client.ts';
import { type JobName, jobNames } from './jobs.ts';

/** How often a worker process sends a heartbeat, and how long the heartbeat counts. */
const beatMs = 5_000;
const aliveMs = 15_000;

/** How long the time of the last heartbeat of any worker is known. */
const rememberedMs = 7 * 24 * 3_600_000;

/** Members are "process queue"; scores are the time of the heartbeat on the clock of Redis, which all processes share. */
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
/** Its TTL tells when a worker last sent a heartbeat. */
const lastKeyOf = (prefix: string) => `${prefix}:workers:last`;

/** Sends heartbeats for the queues that this process serves. Returns a function that ends them and removes the process. An outage of
 *  Redis is not logged here: the connection reports it. */
export function sendHeartbeats(deps: {
  redis: RedisClient;
  prefix: string;
  /** Unique per process. */
  processId: string;
  names: JobName[];
  log: Log;
}): () => Promise<void> {
  const { redis, prefix, processId, names, log } = deps;
  const members = names.map((name) => `${processId} ${name}`);

  const poller = createPoller({
    everyMs: beatMs,
    run: async () => {
      await redis.eval(beatScript, 1, keyOf(prefix), aliveMs, ...members);
      // Workers of earlier releases store the time, which web processes of earlier releases read.
      await redis.set(lastKeyOf(prefix), Date.now(), 'PX', rememberedMs);
    },
    onFailure: (error) => log.debug({ err: error }, 'failed to send a heartbeat'),
  });
  void poller.poll();
  return async () => {
    void poller.stop();
    if (redis.status === 'ready') await redis.zrem(keyOf(prefix), ...members);
  };
}

export type WorkerCounts = ReturnType<typeof createWorkerCounts>;

/** Counts the live worker processes. */
export function createWorkerCounts(redis: RedisClient, prefix: string) {
  const readMembers = async () => (await redis.eval(readScript, 1, keyOf(prefix), aliveMs)) as string[];

  return {
    /** The worker processes that have served each queue within the last 15 s. */
    async read(): Promise<Record<JobName, number>> {
      const members = await readMembers();
      const served = members.map((member) => member.slice(member.indexOf(' ') + 1));
      const counts = jobNames.map((name) => [name, served.filter((queue) => queue === name).length]);
      return Object.fromEntries(counts) as Record<JobName, number>;
    },

    /** The worker processes of the last 15 s, and the time since the last heartbeat of any: null if there was none for a week. */
    async readProcesses(): Promise<{ count: number; lastSeenMs: number | null }> {
      const [members, leftMs] = await Promise.all([readMembers(), redis.pttl(lastKeyOf(prefix))]);
      const processes = new Set(members.map((member) => member.slice(0, member.indexOf(' '))));
      return { count: processes.size, lastSeenMs: leftMs < 0 ? null : rememberedMs - leftMs };
    },
  };
}
