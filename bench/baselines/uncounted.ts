import type { RequestListener } from 'node:http';
import Koa from 'koa';
import { loadConfigOrExit } from '../../src/config/load.ts';
import { webSettings } from '../../src/config/web.ts';
import { handleErrors } from '../../src/http/middleware/error-handler.ts';
import { createRedirect } from '../../src/http/redirect/redirect.ts';
import { createRedirectResponses } from '../../src/http/redirect/response.ts';
import { listenHost } from '../../src/http/server/listen-host.ts';
import { listen } from '../../src/http/server/server.ts';
import { createKeyGenerator } from '../../src/keys/key-generator.ts';
import { createKeyPool } from '../../src/keys/key-pool.ts';
import { createKeyStore } from '../../src/keys/key-store.ts';
import { createKeys } from '../../src/keys/keys.ts';
import { createLog } from '../../src/log.ts';
import { openPostgres } from '../../src/storage/postgres/postgres.ts';
import { openRedis, waitForRedis } from '../../src/storage/redis/redis.ts';
import { hashPassword } from '../../src/urls/access/password.ts';
import { createMemoryCache } from '../../src/urls/cache/memory-cache.ts';
import { createRedisUrlCache } from '../../src/urls/cache/redis-cache.ts';
import { createUrlStore } from '../../src/urls/store/url-store.ts';
import { createUrls } from '../../src/urls/urls.ts';

/** The baseline: redirects as `src/web.ts` answers them, with the same middleware and caches, and no click counted. */
const config = loadConfigOrExit(webSettings);
const log = createLog('uncounted', config.LOG_LEVEL);
const db = openPostgres({ url: config.DATABASE_URL, poolMax: 10, queryTimeoutMs: 2_000, name: 'uncounted' });
const redis = openRedis('cache', config.REDIS_URL, log);
const { REDIS_PREFIX: prefix, CACHE_TTL_SECONDS: ttlSeconds } = config;
const memoryCache = createMemoryCache({ maxEntries: 50_000, maxBytes: 32_000_000 });
memoryCache.onConnected();
const urls = createUrls({
  store: createUrlStore(db),
  cache: createRedisUrlCache(redis, { prefix, ttlSeconds, hasRoom: () => true }),
  keys: createKeys({
    generator: createKeyGenerator(db),
    pool: createKeyPool(redis, prefix),
    store: createKeyStore(db),
    lowWater: 1,
    onLow: () => {},
    log,
  }),
  idempotencyKeys: { findMany: async () => [], findRequestHash: async () => undefined },
  memoryCache,
  blockedHosts: { evaluate: (entry) => entry },
  onUnpublished: async () => {},
  normaliseUrl: (url) => url,
  hashPassword,
  retention: { days: 30, codeReuseDays: 90 },
  log,
});
const app = new Koa();
app.use(handleErrors(log, { baseUrl: config.BASE_URL }));
const uncounted = {
  record: async () => {},
  recordThen: (_urlId: number, _atMs: number, answer: () => void) => answer(),
};
const redirect = createRedirect({
  urls,
  clickRecorder: { ...uncounted, current: () => uncounted },
  enrichClick: () => undefined,
  responses: createRedirectResponses({ status: config.REDIRECT_STATUS, maxAgeSeconds: 0 }),
  answerNotFound: () => {
    throw new Error('unexpected unknown code');
  },
  isThrottled: () => false,
  onTier: () => undefined,
  accessRules: {
    answer: async () => await Promise.reject(new Error('unexpected access rule')),
    answerPreview: async () => await Promise.reject(new Error('unexpected click limit')),
  },
});
app.use(redirect.middleware);
await waitForRedis([redis], 1_000);
const handle = app.callback();
const answer: RequestListener = (request, response) => {
  if (redirect.tryMemory(request, response)) return;
  void redirect.handle(request, response, handle);
};
await listen(answer, {
  port: config.PORT,
  host: listenHost(config.HOST),
  baseUrl: config.BASE_URL,
  graceMs: 0,
  limits: { max: config.MAX_CONNECTIONS, surplus: 0 },
  maxWaiting: config.MAX_REQUESTS,
});
log.info('web is listening');
