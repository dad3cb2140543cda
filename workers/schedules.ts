import type { Redis } from 'ioredis';
import type { Log } from '../src/log.ts';
import type { JobName } from '../src/queues/jobs.ts';
import type { Queues } from '../src/queues/queues.ts';
import { repeatedWarningsOf } from '../src/resilience/repeated-warnings.ts';

/** Schedulers vanish with Redis' data while everything looks healthy, so they are looked for this often. */
const lookEveryMs = 5_000;
/** They are upserted all the same this often: one that is there but has lost its next job would never fire again. */
const upsertEveryMs = 30_000;

/** Keeps the schedulers of the named jobs in being: now, whenever Redis becomes reachable, within 5 s of their loss. A
 *  worker that starts also asks for a warm-up, and whenever Redis becomes reachable for the cache to be reconciled: it may
 *  have missed changes. Returns what stops it. */
export function keepSchedules(deps: {
  queues: Queues;
  redis: Redis;
  names: JobName[];
  clickShards: number;
  log: Log;
}): () => void {
  const { queues, redis, names, clickShards, log } = deps;
  const warnings = repeatedWarningsOf(log);
  const wanted = new Set<JobName>(['warm-cache']);

  async function upsert(): Promise<void> {
    try {
      await queues.upsertSchedules(names, { clickShards });
      warnings.end('schedules', {}, 'upserted schedules again');
      for (const name of names.filter((name) => wanted.has(name))) {
        await queues.add(name, {}, 'worker-start');
        wanted.delete(name);
      }
    } catch (error) {
      warnings.warn('schedules', { err: error }, 'failed to upsert schedules, trying again soon');
    }
  }

  async function upsertLost(): Promise<void> {
    try {
      if (await queues.hasSchedules(names, { clickShards })) {
        warnings.end('lost schedules', {}, 'every schedule exists again');
        return;
      }
    } catch (error) {
      log.debug({ err: error }, 'schedules could not be looked for');
      return;
    }
    warnings.warn('lost schedules', {}, 'creating missing schedules');
    await upsert();
  }

  const onReady = () => {
    wanted.add('reconcile-cache');
    void upsert();
  };
  const timers = [
    setInterval(() => void upsert(), upsertEveryMs),
    setInterval(() => void upsertLost(), lookEveryMs),
  ];
  redis.on('ready', onReady);
  if (redis.status === 'ready') onReady();
  return () => {
    for (const timer of timers) clearInterval(timer);
    redis.off('ready', onReady);
  };
}
