import type { Redis } from 'ioredis';
import type { JobName, Queues } from '../src/jobs.ts';
import type { Log } from '../src/log.ts';

/** Schedulers vanish with Redis' data while everything looks healthy, so they are upserted again this often. */
const upsertEveryMs = 30_000;

/** Keeps the schedulers of the named jobs in being: now, whenever Redis becomes reachable, and every 30 s. A worker that
 *  starts also asks for a warm-up. Returns what stops it. */
export function keepSchedules(deps: {
  queues: Queues;
  redis: Redis;
  names: JobName[];
  clickShards: number;
  log: Log;
}): () => void {
  const { queues, redis, names, clickShards, log } = deps;
  let warmUpAsked = !names.includes('warm-cache');

  async function upsert(): Promise<void> {
    try {
      await queues.upsertSchedules(names, { clickShards });
      if (!warmUpAsked) await queues.add('warm-cache', {}, 'worker-start');
      warmUpAsked = true;
    } catch (error) {
      log.warn({ err: error }, 'schedules could not be upserted; trying again soon');
    }
  }

  const onReady = () => void upsert();
  const timer = setInterval(onReady, upsertEveryMs);
  redis.on('ready', onReady);
  if (redis.status === 'ready') onReady();
  return () => {
    clearInterval(timer);
    redis.off('ready', onReady);
  };
}
