import { createUserAgents } from '../clicks/enrichment/agents/user-agents.ts';
import type { WebConfig } from '../config/web.ts';
import { createCurrentEpoch } from '../epoch/epoch.ts';
import { openEpochWatch } from '../epoch/open-epoch-watch.ts';
import { createConnectionCounts } from '../http/connections/connections.ts';
import { createRequestCounts } from '../http/middleware/request-counts.ts';
import { createServiceMetrics } from '../http/ops/service-metrics.ts';
import { createRedirect } from '../http/redirect/redirect.ts';
import { createRedirectResponses } from '../http/redirect/response.ts';
import { createLoadShedding } from '../http/server/load-shedding.ts';
import { createPipeline } from '../http/server/pipeline.ts';
import { createRequestDurations } from '../http/server/request-duration.ts';
import { readStateWithCodeCase } from '../keys/code-case.ts';
import { createLog } from '../log.ts';
import { renderMetrics } from '../metrics/prometheus.ts';
import { createQrImages } from '../qr/qr-images.ts';
import { watchQueues } from '../queues/queue-watch.ts';
import { createQueues } from '../queues/queues.ts';
import { createWorkerCounts } from '../queues/worker-heartbeats.ts';
import { createReportStore } from '../reports/report-store.ts';
import { createReports } from '../reports/reports.ts';
import { createConditions } from '../resilience/conditions.ts';
import { watchEventLoop } from '../resilience/event-loop.ts';
import { onSighup } from '../resilience/hangup.ts';
import { watchLoop } from '../resilience/loop-watchdog.ts';
import { ClosingStack, endOnSignal } from '../resilience/shutdown.ts';
import { createPostgresMetrics } from '../storage/postgres/metrics.ts';
import { closePostgres, openPostgres } from '../storage/postgres/postgres.ts';
import { watchPostgres } from '../storage/postgres/watch.ts';
import { closeRedis, openRedis, waitForRedis } from '../storage/redis/redis.ts';
import { watchRedis } from '../storage/redis/watch.ts';
import { watchSchema } from '../storage/schema/schema-watch.ts';
import { createPasswordHashing } from '../urls/access/password.ts';
import { channelOf } from '../urls/changes/redis-bus.ts';
import { openAccessRules } from './access-rules.ts';
import { openAnalytics } from './analytics.ts';
import { openApiKeys } from './api-keys.ts';
import { createApp } from './app.ts';
import { createCircuitBreakers, postgresDeadlineMs } from './circuit-breakers.ts';
import { openEnrichment } from './click-enrichment.ts';
import { openClicks } from './clicks.ts';
import { joinCluster } from './cluster/member.ts';
import type { WebContext } from './context.ts';
import { listenForClients } from './listen.ts';
import { createWebMetrics, renderMetricsOfAll } from './metrics.ts';
import { openRateLimits } from './rate-limits.ts';
import { openSearch } from './search.ts';
import { openTransfers } from './transfers.ts';
import { openUrls } from './urls.ts';

/** How long the start waits for Redis, so that the first visitors find the cache. */
const redisPatienceMs = 1_000;

/** Passwords that are hashed at once, and that wait: each takes a thread, of which visitors' passwords, look-ups of names and
 *  pictures need some too. */
const hashing = { concurrency: 1, queueSize: 20 };

/** The web process: opens what it needs, listens, and closes it all in reverse on SIGTERM. Resolves once it listens. */
export async function runWebProcess(config: WebConfig): Promise<void> {
  const log = createLog('web', config.LOG_LEVEL);
  const closing = new ClosingStack(log);
  const endProcess = endOnSignal(closing, log, config.SHUTDOWN_DEADLINE_MS);
  if (config.WEB_CONCURRENCY === 1)
    onSighup(() =>
      log.warn(
        'ignoring SIGHUP: a single web process cannot replace itself, set WEB_CONCURRENCY=2 or restart it',
      ),
    );
  const conditions = createConditions(log);
  const postgresMetrics = createPostgresMetrics();
  const epoch = createCurrentEpoch();
  const web: WebContext = { config, log, closing, conditions, postgresMetrics, epoch };
  closing.defer('loop watchdog', watchLoop('web', log), (stop) => stop());
  closing.defer(
    'redis (probe)',
    await watchRedis({
      url: config.REDIS_URL,
      prefix: config.REDIS_PREFIX,
      channel: channelOf(config.REDIS_PREFIX),
      conditions,
      log,
    }),
    (stop) => stop(),
  );
  const breakers = createCircuitBreakers(log);

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
  const postgresWatch = closing.defer(
    'postgres watch',
    watchPostgres({ db, conditions, guard: breakers.postgres.run }),
    (watch) => watch.stop(),
  );
  const schemaWatch = closing.defer(
    'schema watch',
    watchSchema({
      read: async () =>
        await breakers.postgres.run(async () => await readStateWithCodeCase(db, config.CODES_IGNORE_CASE)),
      conditions,
      log,
    }),
    (watch) => watch.stop(),
  );
  const cacheRedis = closing.defer('redis (cache)', openRedis('cache', config.REDIS_URL, log), closeRedis);
  const producerRedis = closing.defer(
    'redis (producer)',
    openRedis('producer', config.REDIS_URL, log),
    closeRedis,
  );
  const queues = createQueues(producerRedis, config.REDIS_PREFIX, log);
  const workerCounts = breakers.redis.guard(createWorkerCounts(cacheRedis, config.REDIS_PREFIX));
  closing.defer('queue watch', watchQueues({ queues, workerCounts, conditions, log }), (stop) => stop());
  const clicks = openClicks(web, cacheRedis);
  const { clickRecorder, clickStatus, unknownCodes } = clicks;
  const userAgents = createUserAgents();
  const enrichClick = await openEnrichment(web, { db: clicks.db, userAgents });
  const passwordHashing = createPasswordHashing(hashing);
  const opened = openUrls(web, {
    db,
    cacheRedis,
    breakers,
    queues,
    hashPassword: passwordHashing.hashPassword,
    onNotFound: unknownCodes.add,
  });
  const { urls, urlStore, keys, keyPool, memoryCache, subscriberRedis, hostBlocking } = opened;
  const eventLoop = closing.defer(
    'event loop watch',
    watchEventLoop({ maxDelayMs: config.MAX_EVENT_LOOP_DELAY_MS, log }),
    (watch) => watch.stop(),
  );
  const loadShedding = createLoadShedding({
    eventLoop,
    maxRequests: config.MAX_REQUESTS,
    maxApiRequests: config.MAX_API_REQUESTS,
  });
  const connectionCounts = createConnectionCounts();
  const rateLimits = openRateLimits(web, { db, cacheRedis, breakers });
  const requestCounts = createRequestCounts();
  const analytics = openAnalytics(web, { db, breakers });
  const isMeasured = config.METRICS_PUBLIC || config.METRICS_TOKEN !== undefined;
  const metrics = createWebMetrics({
    clickStatus,
    urls,
    memoryCache,
    requestCounts,
    loadShedding,
    connectionCounts,
    rateLimits,
    breakers,
    conditions,
    epoch,
    postgresMetrics,
    clickEvents: analytics.clickEvents,
    withNode: isMeasured,
  });
  const latencies = createRequestDurations(metrics.latencies);
  const readServiceMetrics = createServiceMetrics({
    queues,
    keyPool,
    workerCounts,
    log,
  });
  const member =
    config.WEB_CONCURRENCY > 1 ? joinCluster({ readMetrics: metrics.read, endProcess, log }) : undefined;

  const reportStore = breakers.postgres.guard(createReportStore(db));
  const responses = createRedirectResponses({
    status: config.REDIRECT_STATUS,
    maxAgeSeconds: config.REDIRECT_MAX_AGE_SECONDS,
  });
  const { isThrottled } = rateLimits;
  const { accessRules, preview } = openAccessRules(config, {
    db,
    cacheRedis,
    breakers,
    urls,
    enrichClick,
    responses,
    isThrottled,
    userAgents,
  });
  const redirect = createRedirect({
    urls,
    clickRecorder,
    enrichClick,
    responses,
    accessRules,
    isThrottled,
    onTier: latencies.noteTier,
  });
  const { apiKeys, apiKeyCache } = openApiKeys(web, { db, breakers });
  const app = createApp({
    config,
    redirect,
    preview,
    api: {
      urls,
      finding: openSearch(web, { db, breakers }),
      ...analytics,
      qrImages: closing.defer('qr images', createQrImages(), (images) => images.close()),
      keys,
      ...openTransfers(web, { db, breakers, queues }),
      queues,
      apiKeys,
      hostBlocking,
      reports: createReports({ store: reportStore, urls, hostBlocking }),
      baseUrl: config.BASE_URL,
      codeRules: {
        minLength: config.CUSTOM_CODE_MIN_LENGTH,
        maxLength: config.CUSTOM_CODE_MAX_LENGTH,
        characters: config.CUSTOM_CODE_CHARACTERS,
      },
      log,
    },
    apiKeyCache,
    rateLimits,
    passwordHashing,
    urlStore,
    queues,
    requestCounts,
    clickStatus,
    showMetrics: async () =>
      member
        ? await renderMetricsOfAll(...(await Promise.all([member.readMetricsOfAll(), readServiceMetrics()])))
        : await renderMetrics((await Promise.all([metrics.read(), readServiceMetrics()])).flat()),
    health: {
      stores: {
        postgres: { ping: async () => await db.raw('select 1'), breaker: breakers.postgres },
        redis: { ping: async () => await cacheRedis.ping(), breaker: breakers.redis },
      },
      eventLoop,
      loadShedding,
      poolSize: keyPool.size,
      conditions,
      isClosing: () => closing.started && !member?.isReplaced,
    },
    log,
  });
  const epochWatch = openEpochWatch(web, { db: opened.listDb, redis: cacheRedis, endProcess });
  // While PostgreSQL is away it says so by itself, within 2 s.
  await Promise.all([opened.loadBlockedHosts(), postgresWatch.check(), schemaWatch.first]);
  await waitForRedis([cacheRedis, clicks.redis, producerRedis, subscriberRedis], redisPatienceMs);
  await epochWatch.start();
  const server = closing.defer(
    'http server',
    await listenForClients(web, {
      handler: createPipeline({
        config,
        redirect,
        loadShedding,
        durations: isMeasured ? latencies : undefined,
        koa: app.callback(),
        log,
      }),
      loadShedding,
      counts: connectionCounts,
    }),
    (listening) => listening.close(),
  );
  // Ahead of the server, which waits for answers that are on their way.
  closing.defer('click events', analytics.clickEvents, (streams) => streams.close());
  log.info({ port: server.port, baseUrl: config.BASE_URL }, 'web is listening');
}
