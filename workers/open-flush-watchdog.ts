import { openClickStore } from '../src/analytics/click-store.ts';
import { createClickStream } from '../src/clicks/stream/stream.ts';
import type { WorkerConfig } from '../src/config/worker.ts';
import type { Log } from '../src/log.ts';
import type { ClosingStack } from '../src/resilience/shutdown.ts';
import type { PostgresMetrics } from '../src/storage/postgres/metrics.ts';
import { closePostgres, openPostgres } from '../src/storage/postgres/postgres.ts';
import { closeRedis, openRedis } from '../src/storage/redis/redis.ts';
import { startFlushWatchdog } from './flush-watchdog.ts';
import { flushClicks } from './jobs/clicks/flush-clicks.ts';

/** Starts the flush watchdog. It has its own connections, so that it works while jobs use all others. */
export function openFlushWatchdog(deps: {
  config: WorkerConfig;
  closing: ClosingStack;
  queryTimeoutMs: number;
  postgresMetrics: PostgresMetrics;
  /** Whether flushing is paused. */
  isPaused: () => Promise<boolean>;
  log: Log;
}): void {
  const { config, closing, queryTimeoutMs, postgresMetrics, isPaused, log } = deps;
  const db = closing.defer(
    'postgres (flush watchdog)',
    openPostgres({
      url: config.DATABASE_URL,
      poolMax: 2,
      queryTimeoutMs,
      name: 'flush-watchdog',
      metrics: postgresMetrics,
    }),
    closePostgres,
  );
  const redis = closing.defer('redis (flush watchdog)', openRedis('jobs', config.REDIS_URL, log), closeRedis);
  const clickStream = createClickStream(redis, {
    prefix: config.REDIS_PREFIX,
    shards: config.CLICK_SHARDS,
  });
  const clickStore = openClickStore(db);
  const stop = startFlushWatchdog({
    db,
    clickStream,
    shards: config.CLICK_SHARDS,
    flush: async (shard, context) => await flushClicks({ clickStream, clickStore }, [shard], context),
    isPaused,
    log,
  });
  closing.defer('flush watchdog', stop, () => stop());
}
