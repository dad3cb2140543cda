import type { Redis } from 'ioredis';
import type { Log } from '../src/log.ts';
import type { JobName } from '../src/queues/jobs.ts';
import type { Queues } from '../src/queues/queues.ts';
import { repeatedWarningsOf } from '../src/resilience/repeated-warnings.ts';

/** How often missing schedulers are searched: they vanish with the data of Redis without an error. */
const checkEveryMs = 5_000;
/** How often existing schedulers are upserted: one that has lost its next job would never fire again. */
const upsertEveryMs = 30_000;

/** Creates the schedulers of these jobs, whose intervals `src/queues/jobs.ts` declares. Creates them again whenever Redis becomes ready and
 *  within 5 s of their loss. Requests a warm-up at the start, and a reconciliation of the cache whenever Redis becomes ready, because
 *  changes may have been missed. Returns a function that stops it. */
export function keepSchedules(deps: {
  queues: Queues;
  redis: Redis;
  names: JobName[];
  clickShards: number;
  log: Log;
}): () => void {
  const { queues, redis, names, clickShards, log } = deps;
  const warnings = repeatedWarningsOf(log);
  const pending = new Set<JobName>(['warm-cache']);

  async function upsert(): Promise<void> {
    try {
      await queues.upsertSchedules(names, { clickShards });
      warnings.end('schedules', {}, 'upserted schedules again');
      for (const name of names.filter((name) => pending.has(name))) {
        await queues.add(name, {}, 'worker-start');
        pending.delete(name);
      }
    } catch (error) {
      warnings.warn('schedules', { err: error }, 'failed to upsert schedules, retrying');
    }
  }

  async function upsertMissing(): Promise<void> {
    try {
      if (await queues.hasSchedules(names, { clickShards })) {
        warnings.end('missing schedules', {}, 'every schedule exists again');
        return;
      }
    } catch (error) {
      log.debug({ err: error }, 'failed to check schedules');
      return;
    }
    warnings.warn('missing schedules', {}, 'creating missing schedules');
    await upsert();
  }

  const onReady = () => {
    pending.add('reconcile-cache');
    void upsert();
  };
  const timers = [
    setInterval(() => void upsert(), upsertEveryMs),
    setInterval(() => void upsertMissing(), checkEveryMs),
  ];
  redis.on('ready', onReady);
  if (redis.status === 'ready') onReady();
  return () => {
    for (const timer of timers) clearInterval(timer);
    redis.off('ready', onReady);
  };
}
