import { openClickStore } from '../src/analytics/click-store.ts';
import { createClickFeedStore } from '../src/analytics/feed/feed-store.ts';
import { createAnalyticsPartitions } from '../src/analytics/partitions/partitions.ts';
import { createAnalyticsSlices } from '../src/analytics/rollups/audit-slices.ts';
import { createAnalyticsPurge } from '../src/analytics/rollups/purge.ts';
import { createClickSegments } from '../src/analytics/rollups/segments.ts';
import { createVisitorSaltStore } from '../src/clicks/enrichment/visitor-salt-store.ts';
import { readAudit } from '../src/clicks/ledger/audit.ts';
import { createClickStream } from '../src/clicks/stream/stream.ts';
import type { WorkerConfig } from '../src/config/worker.ts';
import { createKeyGenerator } from '../src/keys/key-generator.ts';
import { createKeyPool } from '../src/keys/key-pool.ts';
import { createKeyStore } from '../src/keys/key-store.ts';
import { createSessionStore } from '../src/sessions/session-store.ts';
import { type Knex, readClock } from '../src/storage/postgres/postgres.ts';
import type { ReadPool } from '../src/storage/reads/read-pool.ts';
import type { RedisClient } from '../src/storage/redis/client.ts';
import { isRedisUnavailable } from '../src/storage/redis/errors.ts';
import { createClickSource } from '../src/transfers/exports/click-source.ts';
import { createExportStore } from '../src/transfers/exports/store.ts';
import { createUrlSource } from '../src/transfers/exports/url-source.ts';
import { createImportStore } from '../src/transfers/imports/store.ts';
import { createImporter } from '../src/transfers/imports/write-rows.ts';
import { createBlockedHosts } from '../src/urls/blocklist/blocklist.ts';
import { createBlockedHostStore } from '../src/urls/blocklist/store.ts';
import { createRedisUrlCache } from '../src/urls/cache/redis-cache.ts';
import { createCacheRefresh } from '../src/urls/cache/refresh.ts';
import { createCacheWatermark } from '../src/urls/cache/watermark.ts';
import { createChangeLog } from '../src/urls/changes/change-log.ts';
import { createIdempotencyKeys } from '../src/urls/idempotency/key-store.ts';
import { findLargeOwners, keptAbove } from '../src/urls/kept-lists/large-owners.ts';
import { createLeaderStore, listedLeaders } from '../src/urls/kept-lists/leaders.ts';
import { createSummaryPassStore } from '../src/urls/kept-lists/summary-pass.ts';
import { createSearchTextStore } from '../src/urls/search-text/search-text-store.ts';
import { createUrlCleanupStore } from '../src/urls/store/cleanup-store.ts';
import { createUrlStore } from '../src/urls/store/url-store.ts';
import { createTagStore } from '../src/urls/tags/tag-store.ts';
import { createPageReader } from '../src/urls/titles/page-reader.ts';
import { createTitleStore } from '../src/urls/titles/title-store.ts';
import type { Processors } from './job-context.ts';
import { reconcileCache } from './jobs/cache/reconcile-cache.ts';
import { warmCache } from './jobs/cache/warm-cache.ts';
import { audit } from './jobs/clicks/audit.ts';
import { cleanupLedger } from './jobs/clicks/cleanup-ledger.ts';
import { flushClicks } from './jobs/clicks/flush-clicks.ts';
import { maintainAnalytics } from './jobs/clicks/maintain-analytics.ts';
import { rollUpClicks } from './jobs/clicks/roll-up-clicks.ts';
import { cleanupTransfers } from './jobs/transfers/cleanup-transfers.ts';
import { exportUrls } from './jobs/transfers/export-urls.ts';
import { importUrls } from './jobs/transfers/import-urls.ts';
import { cleanupExpired } from './jobs/urls/cleanup-expired.ts';
import { fetchTitle } from './jobs/urls/fetch-title.ts';
import { fillSearchTexts } from './jobs/urls/fill-search-texts.ts';
import { renameTag } from './jobs/urls/rename-tag.ts';
import { replenishKeys } from './jobs/urls/replenish-keys.ts';
import { summariseUrls } from './jobs/urls/summarise-urls.ts';

/** Far longer than a batch can wait. */
const idleProducerDays = 90;

/** The processor of every job, for worker processes and for `npm run job`. */
export function createProcessors({
  config,
  db,
  redis,
  cacheRedis,
  hasRoom,
  versionFloor,
  exportPool,
}: {
  config: WorkerConfig;
  db: Knex;
  redis: RedisClient;
  /** The connection to cached short URLs; it may be `redis`. */
  cacheRedis: RedisClient;
  /** Whether Redis has room for cache entries. */
  hasRoom: () => boolean;
  /** See Epoch. */
  versionFloor?: () => number;
  /** Reads the rows of exports; from `db` by default. */
  exportPool?: ReadPool | undefined;
}): Processors {
  const prefix = config.REDIS_PREFIX;
  const urls = {
    urlStore: createUrlStore(db),
    urlCache: createRedisUrlCache(cacheRedis, {
      prefix,
      ttlSeconds: config.CACHE_TTL_SECONDS,
      hasRoom,
      ...(versionFloor && { versionFloor }),
    }),
    now: async () => await readClock(db),
  };
  const changes = createChangeLog(db);
  const reconciling = {
    changes,
    cache: urls.urlCache,
    watermark: createCacheWatermark(cacheRedis, { prefix, ttlSeconds: config.CACHE_TTL_SECONDS }),
    refreshCache: createCacheRefresh({ store: urls.urlStore, changes, cache: urls.urlCache }),
  };
  const refreshLater = {
    refreshCache: unlessCacheIsAway(reconciling.refreshCache, 0),
    replace: unlessCacheIsAway(urls.urlCache.replace, undefined),
  };
  const keys = {
    pool: createKeyPool(redis, prefix),
    generator: createKeyGenerator(db),
    store: createKeyStore(db),
  };
  const clicks = {
    clickStream: createClickStream(redis, { prefix, shards: config.CLICK_SHARDS }),
    clickStore: openClickStore(db),
  };
  const transfers = {
    importStore: createImportStore(db),
    blockedHosts: createBlockedHosts({ store: createBlockedHostStore(db) }),
    importer: createImporter({ generator: keys.generator }),
    refreshCache: refreshLater.refreshCache,
    exportStore: createExportStore(db),
    exportSources: { urls: createUrlSource(db, exportPool), clicks: createClickSource(db, exportPool) },
  };
  const titles = {
    titleStore: createTitleStore(db),
    blockedHosts: transfers.blockedHosts,
    readPage: createPageReader({ isBlocked: transfers.blockedHosts.isBlocked }),
    refreshCache: refreshLater.refreshCache,
  };
  const analytics = {
    salts: createVisitorSaltStore(db),
    partitions: createAnalyticsPartitions(db),
    segments: createClickSegments(db),
    removals: createAnalyticsPurge(db),
    clickFeed: createClickFeedStore(db),
    now: async () => await readClock(db),
  };
  const everyShard = Array.from({ length: config.CLICK_SHARDS }, (_, shard) => shard);

  return {
    'replenish-keys': (data, context) => replenishKeys(keys, data.target ?? config.KEY_POOL_TARGET, context),
    'flush-clicks': (data, context) =>
      flushClicks(clicks, data.shard === undefined ? everyShard : [data.shard], context),
    'roll-up-clicks': (data, context) => rollUpClicks(analytics.segments, data.always ?? false, context),
    'cleanup-expired': (_data, context) =>
      cleanupExpired(
        {
          ...urls,
          urlCache: { replace: refreshLater.replace },
          cleanupStore: createUrlCleanupStore(db),
          idempotencyKeys: createIdempotencyKeys(db),
          sessions: createSessionStore(db),
        },
        { days: config.RETENTION_DAYS, codeReuseDays: config.CODE_REUSE_AFTER_DAYS },
        context,
      ),
    'cleanup-ledger': (_data, context) => cleanupLedger(clicks, idleProducerDays, context),
    'maintain-analytics': (_data, context) =>
      maintainAnalytics(analytics, config.ANALYTICS_RETENTION_DAYS, context),
    'warm-cache': (data, context) =>
      warmCache(
        { ...urls, leaders: createLeaderStore(db) },
        { limit: data.limit ?? config.WARM_CACHE_URLS, perSecond: config.WARM_CACHE_PER_SECOND },
        context,
      ),
    'reconcile-cache': (data, context) =>
      reconcileCache(
        reconciling,
        { all: data.all ?? false, keepRemovalsSeconds: 2 * config.CACHE_TTL_SECONDS },
        context,
      ),
    'import-urls': (data, context) => importUrls(transfers, data.id, context),
    'export-urls': (data, context) => exportUrls(transfers, data.id, context),
    'fill-search-texts': (_data, context) => fillSearchTexts(createSearchTextStore(db), context),
    'summarise-urls': (data, context) =>
      summariseUrls(
        {
          summaries: createSummaryPassStore(db),
          leaders: createLeaderStore(db),
          findLargeOwners: async () => await findLargeOwners(db, keptAbove),
        },
        { leaderCount: Math.max(...listedLeaders, config.WARM_CACHE_URLS), always: data.always ?? false },
        context,
      ),
    'rename-tag': ({ tag, name = null, created_by: owner = null }, context) =>
      renameTag({ ...refreshLater, tagStore: createTagStore(db) }, { tag, name, owner }, context),
    'fetch-title': async ({ id }, context) =>
      config.FETCH_TITLES ? await fetchTitle(titles, id, context) : { outcome: 'off' },
    'cleanup-transfers': (_data, context) =>
      cleanupTransfers(transfers, config.TRANSFER_RETENTION_DAYS, context),
    audit: (_data, context) =>
      audit({ readLedger: async () => await readAudit(db), slices: createAnalyticsSlices(db) }, context),
  };
}

/** Lets a job continue while the cache is away: `reconcile-cache` finds what it missed. */
const unlessCacheIsAway =
  <Args extends unknown[], Result>(call: (...args: Args) => Promise<Result>, missed: Result) =>
  async (...args: Args): Promise<Result> => {
    try {
      return await call(...args);
    } catch (error) {
      if (isRedisUnavailable(error)) return missed;
      throw error;
    }
  };
