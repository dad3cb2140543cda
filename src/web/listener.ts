import { createServiceStateReader } from '../http/api/operations/read-state.ts';
import { createStateStreams } from '../http/api/operations/state-stream.ts';
import { createConnectionCounts } from '../http/connections/connections.ts';
import { createRequestCounts } from '../http/middleware/request-counts.ts';
import type { Activity } from '../http/ops/activity.ts';
import { createServiceMetrics } from '../http/ops/service-metrics.ts';
import { createNotFoundAnswer } from '../http/redirect/not-found.ts';
import { createRedirect } from '../http/redirect/redirect.ts';
import { createLoadShedding } from '../http/server/load-shedding.ts';
import { createPipeline } from '../http/server/pipeline.ts';
import { createProblemAnswers } from '../http/server/problem-answers.ts';
import { createRedirectDurations } from '../http/server/redirect-duration.ts';
import { renderMetrics } from '../metrics/prometheus.ts';
import { watchEventLoop } from '../resilience/process/event-loop.ts';
import { version } from '../version.ts';
import { openActivity } from './activity.ts';
import { createApp } from './app.ts';
import { joinCluster } from './cluster/member.ts';
import { createWebMetrics, renderClusterMetrics } from './metrics.ts';
import type { Modules } from './modules/modules.ts';
import type { WebContext } from './stores/context.ts';
import type { Stores } from './stores/stores.ts';

/** The HTTP side of a web process: the raw listener with the redirect and the Koa application behind it, and what measures them. */
export function createListener(web: WebContext, stores: Stores, modules: Modules) {
  const { config, log, closing, conditions } = web;
  const { db, replica, cacheRedis, urlCacheRedis, breakers, queues, workerCounts } = stores;
  const { keyPool, clicks, rateLimits, analytics, transfers } = modules;
  const eventLoop = closing.defer(
    'event loop watch',
    watchEventLoop({ maxDelayMs: config.MAX_EVENT_LOOP_DELAY_MS, log }),
    (watch) => watch.stop(),
  );
  const loadShedding = createLoadShedding({
    eventLoop,
    maxRequests: config.MAX_REQUESTS,
    maxApiRequests: config.MAX_API_REQUESTS,
    baseUrl: config.BASE_URL,
  });
  const connectionCounts = createConnectionCounts();
  const requestCounts = createRequestCounts();
  const durations = createRedirectDurations();
  const hasMetrics = config.METRICS_PUBLIC || config.METRICS_TOKEN !== undefined;
  const readActivity = openActivity(web, modules, {
    requestCounts,
    loadShedding,
    eventLoop,
    redirectDurations: durations,
  });
  const { member, showMetrics } = openMetrics(web, stores, modules, {
    requestCounts,
    connectionCounts,
    loadShedding,
    redirectDurations: durations,
    withNode: hasMetrics,
    readActivity,
  });
  const redirect = createRedirect({
    ...modules,
    clickRecorder: clicks.clickRecorder,
    answerNotFound: createNotFoundAnswer({
      presentProblem: createProblemAnswers({ baseUrl: config.BASE_URL, pages: modules.pages }),
      chargeUnknownCode: rateLimits.chargeUnknownCode,
      onProblem: requestCounts.addProblem,
    }),
    isThrottled: rateLimits.isThrottled,
    onTier: durations.noteTier,
  });
  const health = {
    stores: {
      postgres: { ping: async () => await db.raw('select 1'), breaker: breakers.postgres },
      redis: { ping: async () => await cacheRedis.ping(), breaker: breakers.redis },
      redisCache:
        urlCacheRedis === cacheRedis
          ? undefined
          : { ping: async () => await urlCacheRedis.ping(), breaker: breakers.cache },
      replica,
    },
    eventLoop,
    loadShedding,
    poolSize: keyPool.size,
    conditions,
    isClosing: () => closing.started && !member?.isReplaced,
    version,
    clickStatus: clicks.clickStatus,
  };
  const readState = createServiceStateReader({
    health,
    workerCounts,
    redisMemory: modules.redisMemory,
    keyPool: modules.keyPoolSizes,
    activity: {
      own: readActivity,
      readAll: async () => (member ? await member.readActivityOfAll() : [readActivity()]),
    },
    baseUrl: config.BASE_URL,
  });
  const stateStreams = createStateStreams({ readState, log });
  const app = createApp({
    ...modules,
    config,
    redirect,
    api: {
      ...modules,
      ...analytics,
      ...transfers,
      queues,
      config,
      workerCounts,
      readState,
      stateStreams,
      baseUrl: config.BASE_URL,
      codeRules: {
        minLength: config.CUSTOM_CODE_MIN_LENGTH,
        maxLength: config.CUSTOM_CODE_MAX_LENGTH,
        characters: config.CUSTOM_CODE_CHARACTERS,
      },
      log,
    },
    queues,
    requestCounts,
    showMetrics,
    health,
    log,
  });
  const handler = createPipeline({
    config,
    redirect,
    loadShedding,
    durations,
    koa: app.callback(),
    log,
  });
  return { handler, loadShedding, counts: connectionCounts, stateStreams };
}

/** The metrics of this process or, in a cluster, of all its web processes. */
function openMetrics(
  { config, conditions, epoch, postgresMetrics, endProcess, log }: WebContext,
  { breakers, replica, queues, workerCounts }: Stores,
  { urls, memoryCache, subscriptions, keyPool, clicks, rateLimits, analytics }: Modules,
  http: Pick<
    Parameters<typeof createWebMetrics>[0],
    'requestCounts' | 'connectionCounts' | 'loadShedding' | 'redirectDurations' | 'withNode'
  > & { readActivity: () => Activity },
) {
  const { readActivity } = http;
  const readMetrics = createWebMetrics({
    ...http,
    urls,
    memoryCache,
    clickStatus: clicks.clickStatus,
    clickEvents: analytics.clickEvents,
    rateLimits,
    breakers,
    replica,
    subscriptions,
    conditions,
    epoch,
    postgresMetrics,
  });
  const readServiceMetrics = createServiceMetrics({ queues, keyPool, workerCounts, log });
  const member =
    config.WEB_CONCURRENCY > 1 ? joinCluster({ readMetrics, readActivity, endProcess, log }) : undefined;

  async function showMetrics(): Promise<string> {
    if (member === undefined)
      return await renderMetrics((await Promise.all([readMetrics(), readServiceMetrics()])).flat());
    const [ofProcesses, ofService] = await Promise.all([member.readMetricsOfAll(), readServiceMetrics()]);
    return await renderClusterMetrics(ofProcesses, ofService);
  }

  return { member, showMetrics };
}
