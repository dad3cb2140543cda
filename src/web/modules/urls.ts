import { ownHostsOf } from '../../config/own-hosts.ts';
import { createKeyGenerator } from '../../keys/key-generator.ts';
import { createKeyPool } from '../../keys/key-pool.ts';
import { createKeyStore } from '../../keys/key-store.ts';
import { createKeys } from '../../keys/keys.ts';
import type { Queues } from '../../queues/queues.ts';
import type { Knex } from '../../storage/postgres/postgres.ts';
import type { SearchQuery } from '../../storage/reads/search-query.ts';
import type { RedisClient } from '../../storage/redis/client.ts';
import { watchRedisMemory } from '../../storage/redis/memory.ts';
import { closeRedis, openRedis } from '../../storage/redis/redis.ts';
import type { PasswordHashing } from '../../urls/access/password.ts';
import { createMemoryCache } from '../../urls/cache/memory-cache.ts';
import { createRedisUrlCache } from '../../urls/cache/redis-cache.ts';
import { createCacheRefresh } from '../../urls/cache/refresh.ts';
import { createChangeLog } from '../../urls/changes/change-log.ts';
import { createFallbackPublisher } from '../../urls/changes/fallback-publish.ts';
import { listenForChanges } from '../../urls/changes/postgres-bus.ts';
import { subscribeToChanges } from '../../urls/changes/redis-bus.ts';
import { watchSubscriptions } from '../../urls/changes/subscriptions.ts';
import { createIdempotencyKeys } from '../../urls/idempotency/key-store.ts';
import { createDestinationPolicy } from '../../urls/input/destination-policy.ts';
import { createRowLoader } from '../../urls/store/row-loader.ts';
import { createUrlStore } from '../../urls/store/url-store.ts';
import { createTagChanges } from '../../urls/tags/tag-changes.ts';
import { createFindFewTagged, createTagStore, type TagChange } from '../../urls/tags/tag-store.ts';
import type { ShortUrl } from '../../urls/url.ts';
import { createUrls } from '../../urls/urls.ts';
import type { CircuitBreakers } from '../stores/circuit-breakers.ts';
import type { WebContext } from '../stores/context.ts';
import { openBlockedHosts } from './blocklist.ts';

/** How long a change of a tag waits for a lock: less than the deadline of a request, so that PostgreSQL ends it first. */
const tagLockMs = 1_000;
/** The latest changes that are read after a connection loss: enough for a long outage, and a fraction of the memory cache. */
const maxMissedChanges = 5_000;

/** Short URLs with their three tiers (memory cache, Redis cache, database) and the invalidation buses between processes. */
export function openUrls(
  web: WebContext,
  deps: {
    db: Knex;
    cacheRedis: RedisClient;
    urlCacheRedis: RedisClient;
    breakers: CircuitBreakers;
    queues: Queues;
    search: SearchQuery;
    hashPassword: PasswordHashing['hashPassword'];
    onNotFound: (shortCode: string) => void;
  },
) {
  const { config, log, closing, conditions, epoch } = web;
  const { db, cacheRedis, urlCacheRedis, breakers, queues, search, hashPassword, onNotFound } = deps;
  const prefix = config.REDIS_PREFIX;
  const watchMemory = (redis: RedisClient, options = {}) =>
    closing.defer('redis memory', watchRedisMemory(redis, log, options), (watch) => watch.stop());
  const memory = watchMemory(cacheRedis);
  const { hasRoom } = urlCacheRedis === cacheRedis ? memory : watchMemory(urlCacheRedis, { mayEvict: true });
  const lowWater = config.KEY_POOL_LOW_WATERMARK ?? Math.floor(config.KEY_POOL_TARGET / 2);
  const keyPool = breakers.redis.guard(createKeyPool(cacheRedis, prefix));
  const keys = closing.defer(
    'keys',
    createKeys({
      generator: breakers.postgres.guard(createKeyGenerator(db)),
      pool: keyPool,
      store: breakers.postgres.guard(createKeyStore(db)),
      lowWater,
      log,
      onLow: () => queues.request('replenish-keys', {}),
    }),
    (ours) => ours.returnLease(),
  );

  const memoryCache = createMemoryCache({
    maxEntries: config.MEMORY_CACHE_MAX_ENTRIES,
    maxBytes: config.MEMORY_CACHE_MAX_MB * 1_000_000,
    staleMs: config.STALE_IF_ERROR_SECONDS * 1_000,
  });
  const subscriptions = closing.defer(
    'subscriptions',
    watchSubscriptions(conditions, ['notifications', 'invalidation_bus'], {
      hasOwnCache: config.REDIS_CACHE_URL !== undefined,
    }),
    (watch) => watch.stop(),
  );
  const { blockedHosts, ...blocking } = openBlockedHosts(web, {
    db,
    breakers,
    onChange: memoryCache.onManyChanges,
  });
  const subscriberRedis = closing.defer(
    'redis (subscriber)',
    openRedis('subscriber', config.REDIS_CACHE_URL ?? config.REDIS_URL, log),
    closeRedis,
  );
  closing.defer(
    'invalidation bus',
    subscribeToChanges(
      subscriberRedis,
      prefix,
      {
        onChange: memoryCache.invalidate,
        onConnected() {
          memoryCache.onConnected();
          subscriptions.set('invalidation_bus', true);
        },
        onDisconnected() {
          memoryCache.onDisconnected();
          subscriptions.set('invalidation_bus', false);
        },
      },
      log,
    ),
    (stop) => stop(),
  );
  const changes = breakers.postgres.guard(createChangeLog(db));
  /** Invalidates what changed while this process was disconnected, or before its start: Redis may have missed it too. */
  async function catchUp(): Promise<void> {
    try {
      const latest = await changes.findLatest(maxMissedChanges);
      for (const { shortCode, version } of latest) memoryCache.invalidate(shortCode, version);
    } catch (error) {
      log.debug({ err: error }, 'failed to read the latest changes, leaving them to reconcile-cache');
    }
  }
  /** A version from before the current epoch belongs to a removal, because every change in this epoch has a higher one. It must exceed
   *  the version of cache entries that have not changed in this epoch. */
  function onNotification(shortCode: string, version: number): void {
    const floor = epoch.versionFloor();
    memoryCache.invalidate(shortCode, floor > 0 && version <= floor ? floor + 2 : version);
  }
  epoch.onChange((_epoch, before) => {
    memoryCache.onManyChanges();
    if (before === undefined) return;
    keys.dropLease();
    blockedHosts.forgetVersion();
    void blocking.loadBlockedHosts();
  });
  closing.defer(
    'notifications',
    listenForChanges({
      url: config.DATABASE_DIRECT_URL ?? config.DATABASE_URL,
      name: 'web-notifications',
      listener: {
        onChange: onNotification,
        onManyChanges: memoryCache.onManyChanges,
        onConnected() {
          subscriptions.set('notifications', true);
          void catchUp();
        },
        onDisconnected: () => subscriptions.set('notifications', false),
      },
      log,
    }),
    (stop) => stop(),
  );
  const cache = createRedisUrlCache(urlCacheRedis, {
    prefix,
    ttlSeconds: config.CACHE_TTL_SECONDS,
    hasRoom,
    guard: breakers.cache.run,
    versionFloor: epoch.versionFloor,
  });
  const store = breakers.postgres.guard(createUrlStore(db));
  const urls = createUrls({
    store: { ...store, findByCode: createRowLoader(store) },
    cache,
    memoryCache,
    blockedHosts,
    onUnpublished: createFallbackPublisher({
      changes,
      requestRepair: () => queues.request('reconcile-cache', {}),
      log,
    }),
    ...(config.FETCH_TITLES && {
      onCreated: ({ id, title }: ShortUrl) => {
        if (title === null) queues.request('fetch-title', { id }, String(id));
      },
    }),
    onNotFound,
    versionFloor: epoch.versionFloor,
    keys,
    idempotencyKeys: breakers.postgres.guard(createIdempotencyKeys(db)),
    normaliseUrl: createDestinationPolicy({
      ownHosts: ownHostsOf(config),
      allowPrivate: config.ALLOW_PRIVATE_URLS,
      maxLength: config.MAX_URL_LENGTH,
      schemes: config.ALLOWED_SCHEMES,
      isBlocked: blockedHosts.isBlocked,
    }),
    hashPassword,
    retention: { days: config.RETENTION_DAYS, codeReuseDays: config.CODE_REUSE_AFTER_DAYS },
    log,
  });
  const refreshCache = createCacheRefresh({ store, changes, cache });
  const tagStore = createTagStore(db, tagLockMs);
  const refreshOrRepair = async (shortCodes: string[]) => {
    await refreshCache(shortCodes).catch(() => queues.request('reconcile-cache', {}));
  };
  const tagChanges = createTagChanges({
    findFewTagged: createFindFewTagged(search),
    ...breakers.postgres.guard({
      // The refresh belongs to the guarded call: a transaction may commit after the deadline of its caller.
      changeTag: async (change: TagChange, ids: number[]) => {
        const codes = await tagStore.changeTag(change, ids);
        return { codes, refreshed: refreshOrRepair(codes) };
      },
    }),
    requestJob: async ({ owner, ...change }) =>
      await queues.add('rename-tag', { ...change, created_by: owner }),
  });
  return {
    urls,
    tagChanges,
    urlStore: store,
    keys,
    keyPool,
    keyPoolSizes: { target: config.KEY_POOL_TARGET, lowWatermark: lowWater },
    memoryCache,
    redisMemory: memory,
    subscriberRedis,
    subscriptions,
    blockedHosts,
    ...blocking,
  };
}
