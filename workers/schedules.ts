import type { Log } from '../src/log.ts';
import type { JobName } from '../src/queues/jobs.ts';
import type { Queues } from '../src/queues/queues.ts';
import { repeatedWarningsOf } from '../src/resilience/repeated-warnings.ts';
import { nodesReplaced, type RedisClient } from '../src/storage/redis/client.ts';

/** How often missing schedulers are searched: they vanish with the data of Redis without an error. */
const checkEveryMs = 5_000;
/** How often existing schedulers are upserted: one that has lost its next job would never fire again. */
const upsertEveryMs = 30_000;

/** Creates the schedulers of these jobs, whose intervals `src/queues/jobs.ts` declares. Creates them again whenever Redis becomes ready and
 *  within 5 s of their loss. Requests a warm-up at the start and when a cache of its own is ready, and a reconciliation of the cache whenever its Redis becomes ready, because
 *  changes may have been missed: of the whole cache when a node of a cluster was replaced, because the watermark may be on another node than an outdated entry.
 *  Returns a function that stops it. */
export function keepSchedules(deps: {
  queues: Queues;
  redis: RedisClient;
  /** The connection to the Redis of the cache. */
  cacheRedis: RedisClient;
  /** Whether that is another service. */
  hasOwnCache: boolean;
  names: JobName[];
  clickShards: number;
  log: Log;
}): () => void {
  const { queues, redis, cacheRedis, hasOwnCache, names, clickShards, log } = deps;
  const warnings = repeatedWarningsOf(log);
  /** The jobs to request, with their data and what identifies equal requests. */
  const pending = new Map<JobName, [data: object, deduplicationId: string]>([
    ['warm-cache', [{}, 'worker-start']],
  ]);

  async function upsert(): Promise<void> {
    try {
      await queues.upsertSchedules(names, { clickShards });
      warnings.end('schedules', {}, 'upserted schedules again');
      for (const [name, request] of pending) {
        if (names.includes(name)) await queues.add(name, ...request);
        if (pending.get(name) === request) pending.delete(name);
      }
    } catch (error) {
      warnings.warn('schedules', { err: error }, 'failed to upsert schedules, retrying');
    }
  }

  async function upsertMissing(): Promise<void> {
    if (pending.size > 0) {
      // The last attempt failed, for instance because a cluster was not complete yet.
      await upsert();
      return;
    }
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

  const onReady = () => void upsert();
  const onCacheReady = () => {
    // A Redis of everything loses its schedules with its cache, and new ones run at once.
    if (hasOwnCache) pending.set('warm-cache', [{}, 'cache-ready']);
    if (!pending.has('reconcile-cache')) pending.set('reconcile-cache', [{}, 'worker-start']);
    void upsert();
  };
  const onReplaced = () => {
    pending.set('reconcile-cache', [{ all: true }, 'nodes-replaced']);
    void upsert();
  };
  const timers = [
    setInterval(() => void upsert(), upsertEveryMs),
    setInterval(() => void upsertMissing(), checkEveryMs),
  ];
  redis.on('ready', onReady);
  cacheRedis.on('ready', onCacheReady);
  cacheRedis.on(nodesReplaced, onReplaced);
  if (cacheRedis.status === 'ready') onCacheReady();
  else if (redis.status === 'ready') onReady();
  return () => {
    for (const timer of timers) clearInterval(timer);
    redis.off('ready', onReady);
    cacheRedis.off('ready', onCacheReady);
    cacheRedis.off(nodesReplaced, onReplaced);
  };
}
