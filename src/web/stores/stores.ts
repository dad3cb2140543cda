import { readStateWithCodeCase } from '../../keys/code-case.ts';
import { watchQueues } from '../../queues/queue-watch.ts';
import { createQueues } from '../../queues/queues.ts';
import { createWorkerCounts } from '../../queues/worker-heartbeats.ts';
import { closePostgres, openPostgres } from '../../storage/postgres/postgres.ts';
import { watchPostgres } from '../../storage/postgres/watch.ts';
import { openReplica } from '../../storage/reads/open-replica.ts';
import { findPosition } from '../../storage/reads/position.ts';
import { openCacheRedis } from '../../storage/redis/cache-service.ts';
import { closeRedis, openRedis } from '../../storage/redis/redis.ts';
import { watchRedis } from '../../storage/redis/watch.ts';
import { watchSchema } from '../../storage/schema/schema-watch.ts';
import { channelOf } from '../../urls/changes/redis-bus.ts';
import { createCircuitBreakers, postgresDeadlineMs } from './circuit-breakers.ts';
import type { WebContext } from './context.ts';

export type Stores = Awaited<ReturnType<typeof openStores>>;

/** The connections to PostgreSQL and Redis that several modules share, with their circuit breakers and watches. */
export async function openStores(web: WebContext) {
  const { config, log, closing, conditions } = web;
  await openRedisProbe(web);
  const breakers = createCircuitBreakers(log, { hasOwnCache: config.REDIS_CACHE_URL !== undefined });
  const { db, check } = openDatabase(web, breakers.postgres.run);
  const cacheRedis = closing.defer('redis (cache)', openRedis('cache', config.REDIS_URL, log), closeRedis);
  const urlCacheRedis = openCacheRedis('cache', config, { redis: cacheRedis, closing, log });
  const producerRedis = closing.defer(
    'redis (producer)',
    openRedis('producer', config.REDIS_URL, log),
    closeRedis,
  );
  const queues = createQueues(producerRedis, config.REDIS_PREFIX, log);
  const workerCounts = breakers.redis.guard(createWorkerCounts(cacheRedis, config.REDIS_PREFIX));
  closing.defer('queue watch', watchQueues({ queues, workerCounts, conditions, log }), (stop) => stop());
  const replica = openReplica('web', config, {
    ...web,
    findPosition: async () => await breakers.postgres.run(async () => await findPosition(db)),
  });
  return { db, replica, cacheRedis, urlCacheRedis, producerRedis, breakers, queues, workerCounts, check };
}

async function openRedisProbe({ config, log, closing, conditions }: WebContext): Promise<void> {
  const { REDIS_PREFIX: prefix } = config;
  const probe = await watchRedis(config, { prefix, channel: channelOf(prefix), conditions, log });
  closing.defer('redis (probe)', probe, (stop) => stop());
}

function openDatabase(
  { config, log, closing, conditions, postgresMetrics }: WebContext,
  guard: ReturnType<typeof createCircuitBreakers>['postgres']['run'],
) {
  const db = closing.defer(
    'postgres',
    openPostgres({
      url: config.DATABASE_URL,
      poolMax: config.DATABASE_POOL_MAX,
      queryTimeoutMs: postgresDeadlineMs,
      name: 'web',
      metrics: postgresMetrics,
    }),
    closePostgres,
  );
  const postgresWatch = closing.defer('postgres watch', watchPostgres({ db, conditions, guard }), (watch) =>
    watch.stop(),
  );
  const read = async () => await guard(async () => await readStateWithCodeCase(db, config.CODES_IGNORE_CASE));
  const schemaWatch = closing.defer('schema watch', watchSchema({ read, conditions, log }), (watch) =>
    watch.stop(),
  );
  /** Reports the state of PostgreSQL and its schema as conditions; takes at most 2 s. */
  const check = async (): Promise<void> => {
    await Promise.all([postgresWatch.check(), schemaWatch.first]);
  };
  return { db, check };
}
