import type { RequestListener } from 'node:http';
import { createApiKeys } from './api-keys/api-keys.ts';
import { createKnownApiKeys } from './api-keys/known-api-keys.ts';
import { createApp } from './app.ts';
import { createClickRecorder } from './clicks/click-recorder.ts';
import { createClickStore } from './clicks/click-store.ts';
import { createClickStream } from './clicks/click-stream.ts';
import { createClickWatch } from './clicks/click-watch.ts';
import { loadConfigOrExit, webSettings } from './config.ts';
import { createRedirect } from './http/redirect.ts';
import { listen } from './http/server.ts';
import { createQueues } from './jobs.ts';
import { createKeyGenerator } from './keys/key-generator.ts';
import { createKeyPool } from './keys/key-pool.ts';
import { createKeyStore } from './keys/key-store.ts';
import { createKeys } from './keys/keys.ts';
import { ClosingStack, endOnSignal } from './lifecycle.ts';
import { createLog } from './log.ts';
import { closePostgres, openPostgres } from './postgres.ts';
import { watchRedisMemory } from './redis-memory.ts';
import { closeRedis, openRedis, waitForRedis } from './redis.ts';
import { createProcessCache } from './urls/process-cache.ts';
import { hearAnnouncements } from './urls/url-announcements.ts';
import { createUrlCache } from './urls/url-cache.ts';
import { createUrlPolicy } from './urls/url-policy.ts';
import { createUrlStore } from './urls/url-store.ts';
import { createUrls } from './urls/urls.ts';

/** Longest time that a request waits for PostgreSQL. */
const queryTimeoutMs = 2_000;
/** How long the start waits for Redis, so that the first visitors find the cache. */
const redisPatienceMs = 1_000;
/** Clicks that Redis did not take have a pool of their own and time: no visitor waits for them, nor they for visitors. */
const clicksPool = { poolMax: 2, queryTimeoutMs: 30_000 };

const config = loadConfigOrExit(webSettings);
const log = createLog('web', config.LOG_LEVEL);
const closing = new ClosingStack(log);
endOnSignal(closing, log, config.SHUTDOWN_DEADLINE_MS);

const prefix = config.REDIS_PREFIX;
const db = closing.defer(
  'postgres',
  openPostgres({ url: config.DATABASE_URL, poolMax: config.DATABASE_POOL_MAX, queryTimeoutMs, name: 'web' }),
  closePostgres,
);
const cacheRedis = closing.defer('redis (cache)', openRedis('cache', config.REDIS_URL, log), closeRedis);
const clicksRedis = closing.defer('redis (clicks)', openRedis('clicks', config.REDIS_URL, log), closeRedis);
const producerRedis = closing.defer(
  'redis (producer)',
  openRedis('producer', config.REDIS_URL, log),
  closeRedis,
);
const memory = closing.defer('redis memory', watchRedisMemory(cacheRedis, log), (watch) => watch.stop());
const queues = createQueues(producerRedis, prefix, log);

const clickStream = createClickStream(clicksRedis, { prefix, shards: config.CLICK_SHARDS });
const clicksDb = closing.defer(
  'postgres (clicks)',
  openPostgres({ url: config.DATABASE_URL, ...clicksPool, name: 'web-clicks' }),
  closePostgres,
);
const clickRecorder = closing.defer(
  'clicks',
  createClickRecorder({
    stream: clickStream,
    store: createClickStore(clicksDb),
    waitsForAck: config.CLICK_ACK === 'on',
    ackMs: config.CLICK_ACK_MS,
    maxEntries: config.CLICK_MEMORY_ENTRIES,
    maxWaiting: config.CLICK_STREAM_BATCHES,
    log,
  }),
  (recorder) => recorder.drain(),
);

const keyPool = createKeyPool(cacheRedis, prefix);
const keys = closing.defer(
  'keys',
  createKeys({
    generator: createKeyGenerator(db),
    pool: keyPool,
    store: createKeyStore(db),
    lowWater: config.KEY_POOL_LOW_WATER ?? Math.floor(config.KEY_POOL_TARGET / 2),
    log,
    onLow: () => {
      queues
        .add('replenish-keys', {}, 'low-water')
        .catch((error: unknown) => log.debug({ err: error }, 'could not ask for keys; the schedule will'));
    },
  }),
  (ours) => ours.returnLot(),
);

const processCache = createProcessCache({
  maxEntries: config.PROCESS_CACHE_ENTRIES,
  maxBytes: config.PROCESS_CACHE_MB * 1_000_000,
});
const subscriberRedis = closing.defer(
  'redis (subscriber)',
  openRedis('subscriber', config.REDIS_URL, log),
  closeRedis,
);
closing.defer(
  'announcements',
  hearAnnouncements(subscriberRedis, prefix, {
    onChange: processCache.invalidate,
    onHearing: processCache.onHearing,
    onDeaf: processCache.onDeaf,
  }),
  (stop) => stop(),
);
const urls = createUrls({
  store: createUrlStore(db),
  cache: createUrlCache(cacheRedis, {
    prefix,
    ttlSeconds: config.CACHE_TTL_SECONDS,
    hasRoom: memory.hasRoom,
  }),
  processCache,
  keys,
  normaliseUrl: createUrlPolicy({
    ownHosts: [new URL(config.BASE_URL).hostname, ...config.OWN_HOSTS],
    allowPrivate: config.ALLOW_PRIVATE_URLS,
  }),
  log,
});

const redirect = createRedirect({
  urls,
  clickRecorder,
  status: config.REDIRECT_STATUS,
  maxAgeSeconds: config.REDIRECT_MAX_AGE_SECONDS,
});
const app = createApp({
  config,
  redirect,
  urls,
  keys,
  clickWatch: createClickWatch({
    recorder: clickRecorder,
    stream: createClickStream(cacheRedis, { prefix, shards: config.CLICK_SHARDS }),
    maxLagMs: config.CLICK_LAG_LIMIT_SECONDS * 1_000,
    maxWaiting: config.CLICK_STREAM_BATCHES,
  }),
  apiKeys: createKnownApiKeys(createApiKeys(db)),
  queues,
  health: {
    pingPostgres: () => db.raw('select 1'),
    pingRedis: () => cacheRedis.ping(),
    poolSize: keyPool.size,
    isClosing: () => closing.started,
  },
  log,
});
await waitForRedis([cacheRedis, clicksRedis, producerRedis, subscriberRedis], redisPatienceMs);
const handle = app.callback();
const answer: RequestListener = (request, response) => {
  if (!redirect.answerAtOnce(request, response)) void handle(request, response);
};
const server = closing.defer(
  'http server',
  await listen(answer, { port: config.PORT, host: config.HOST, graceMs: config.SHUTDOWN_GRACE_MS }),
  (listening) => listening.close(),
);
log.info({ port: server.port, baseUrl: config.BASE_URL }, 'web is listening');
