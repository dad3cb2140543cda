import { openClickStore } from '../../analytics/click-store.ts';
import { createNotFoundCounts } from '../../analytics/rollups/unknown-codes.ts';
import { createEpochRecorder } from '../../clicks/recording/epoch-recorder.ts';
import { createClickRecorder } from '../../clicks/recording/recorder.ts';
import { createShardedRecorder } from '../../clicks/recording/sharded-recorder.ts';
import { createClickStatusReader } from '../../clicks/recording/status.ts';
import { createClickStream } from '../../clicks/stream/stream.ts';
import { closePostgres, openPostgres } from '../../storage/postgres/postgres.ts';
import type { RedisClient } from '../../storage/redis/client.ts';
import { closeRedis, openRedis } from '../../storage/redis/redis.ts';
import type { WebContext } from '../stores/context.ts';

/** The pool for clicks that Redis did not accept. Its time-out is long, because no visitor waits for it. */
const clicksPool = { poolMax: 2, queryTimeoutMs: 30_000 };

/** Interval at which requests for unknown codes are stored. */
const unknownCodesMs = 3_000;

/** The recording of clicks, on connections of its own. Closing it stores every click. */
export function openClicks(web: WebContext, cacheRedis: RedisClient) {
  const { config, log, closing, postgresMetrics, epoch } = web;
  const streamOptions = { prefix: config.REDIS_PREFIX, shards: config.CLICK_SHARDS };
  const redis = closing.defer('redis (clicks)', openRedis('clicks', config.REDIS_URL, log), closeRedis);
  const db = closing.defer(
    'postgres (clicks)',
    openPostgres({
      url: config.DATABASE_URL,
      ...clicksPool,
      name: 'web-clicks',
      metrics: postgresMetrics,
    }),
    closePostgres,
  );
  const unknownCodes = closing.defer(
    'unknown codes',
    createNotFoundCounts({ db, flushMs: unknownCodesMs, log }),
    (codes) => codes.close(),
  );
  const stream = createClickStream(redis, streamOptions);
  const store = openClickStore(db);
  const clickRecorder = closing.defer(
    'clicks',
    createEpochRecorder({
      epoch,
      createRecorder: (epochId) =>
        createShardedRecorder(config.CLICK_SHARDS, (shard) =>
          createClickRecorder({
            stream,
            store,
            waitsForAck: config.CLICK_ACK,
            ackMs: config.CLICK_ACK_MS,
            maxEntries: config.CLICK_BUFFER_MAX_ENTRIES,
            keepMs: config.CLICK_KEEP_SECONDS * 1_000,
            maxWaiting: config.CLICK_STREAM_MAX_BATCHES,
            epoch: epochId,
            shard,
            log,
          }),
        ),
      log,
    }),
    (recorder) => recorder.drain(),
  );
  const clickStatus = createClickStatusReader({
    recorder: clickRecorder,
    // The cache connection has a short deadline, so /health is fast even if Redis hangs.
    stream: createClickStream(cacheRedis, streamOptions),
    maxLagMs: config.CLICK_LAG_LIMIT_SECONDS * 1_000,
    maxWaiting: config.CLICK_STREAM_MAX_BATCHES * config.CLICK_SHARDS,
    log,
  });
  return { db, redis, clickRecorder, clickStatus, unknownCodes };
}
