import type { WorkerConfig } from '../src/config/worker.ts';
import type { Log } from '../src/log.ts';
import type { Queues } from '../src/queues/queues.ts';
import type { Conditions } from '../src/resilience/conditions.ts';
import type { ClosingStack } from '../src/resilience/shutdown.ts';
import type { Knex } from '../src/storage/postgres/postgres.ts';
import type { RedisClient } from '../src/storage/redis/client.ts';
import { createRedisUrlCache } from '../src/urls/cache/redis-cache.ts';
import { createCacheRefresh } from '../src/urls/cache/refresh.ts';
import { createChangeLog } from '../src/urls/changes/change-log.ts';
import { listenForChanges } from '../src/urls/changes/postgres-bus.ts';
import { watchSubscriptions } from '../src/urls/changes/subscriptions.ts';
import { createUrlStore } from '../src/urls/store/url-store.ts';
import { createChangeFollower } from './change-follower.ts';
import { createFillRequests } from './jobs/urls/fill-search-texts.ts';

/** Writes the cache entries of short URLs that other programs change, and requests their search texts. */
export function followExternalChanges(deps: {
  config: WorkerConfig;
  db: Knex;
  redis: RedisClient;
  queues: Queues;
  closing: ClosingStack;
  conditions: Conditions;
  /** See Epoch. */
  versionFloor: () => number;
  log: Log;
}): void {
  const { config, db, redis, queues, closing, conditions, versionFloor, log } = deps;
  const cache = createRedisUrlCache(redis, {
    prefix: config.REDIS_PREFIX,
    ttlSeconds: config.CACHE_TTL_SECONDS,
    versionFloor,
  });
  const follower = createChangeFollower({
    refreshCache: createCacheRefresh({ store: createUrlStore(db), changes: createChangeLog(db), cache }),
    requestReconciliation: () => queues.request('reconcile-cache', {}),
    log,
  });
  const fillRequests = createFillRequests(() => queues.request('fill-search-texts', {}));
  closing.defer('fill requests', fillRequests, (requests) => requests.stop());
  const subscriptions = closing.defer(
    'subscriptions',
    watchSubscriptions(conditions, ['notifications']),
    (watch) => watch.stop(),
  );
  const listening = listenForChanges({
    url: config.DATABASE_DIRECT_URL ?? config.DATABASE_URL,
    name: 'worker-notifications',
    listener: {
      ...follower,
      onChange(shortCode, version) {
        follower.onChange(shortCode, version);
        fillRequests.onWrite();
      },
      onManyChanges() {
        follower.onManyChanges();
        fillRequests.onWrite();
      },
      onConnected() {
        follower.onConnected();
        subscriptions.set('notifications', true);
      },
      onDisconnected: () => subscriptions.set('notifications', false),
    },
    log,
  });
  closing.defer('notifications', listening, (stop) => stop());
}
