import type { WebConfig } from '../config/web.ts';
import { createCurrentEpoch } from '../epoch/epoch.ts';
import { openEpochWatch } from '../epoch/open-epoch-watch.ts';
import { createLog } from '../log.ts';
import { createConditions } from '../resilience/conditions.ts';
import { onSighup } from '../resilience/process/hangup.ts';
import { watchLoop } from '../resilience/process/loop-watchdog.ts';
import { ClosingStack, endOnSignal } from '../resilience/shutdown.ts';
import { createPostgresMetrics } from '../storage/postgres/metrics.ts';
import { waitForRedis } from '../storage/redis/redis.ts';
import { listenForClients } from './listen.ts';
import { createListener } from './listener.ts';
import { openModules } from './modules/modules.ts';
import type { WebContext } from './stores/context.ts';
import { openStores } from './stores/stores.ts';

/** How long the start waits for Redis, so that the first visitors find the cache. */
const redisPatienceMs = 1_000;

const sighupIgnored =
  'ignoring SIGHUP: a single web process cannot replace itself, set WEB_CONCURRENCY=2 or restart it';

/** The web process: opens its stores and modules, listens, and closes everything in reverse order on SIGTERM. Resolves once it listens. */
export async function runWebProcess(config: WebConfig): Promise<void> {
  const web = createContext(config);
  const { log, closing, endProcess } = web;
  const stores = await openStores(web);
  const modules = await openModules(web, stores);
  const listener = createListener(web, stores, modules);
  const { cacheRedis, urlCacheRedis, producerRedis } = stores;
  const epochWatch = openEpochWatch(web, {
    db: modules.blocklistDb,
    redis: new Set([cacheRedis, urlCacheRedis]),
    endProcess,
  });

  await Promise.all([modules.loadBlockedHosts(), stores.check()]);
  await waitForRedis(
    [cacheRedis, urlCacheRedis, modules.clicks.redis, producerRedis, modules.subscriberRedis],
    redisPatienceMs,
  );
  await epochWatch.start();

  const server = closing.defer('http server', await listenForClients(web, listener), (opened) =>
    opened.close(),
  );
  // Streams close first: the server waits for open responses.
  closing.defer('click events', modules.analytics.clickEvents, (streams) => streams.close());
  closing.defer('state streams', listener.stateStreams, (streams) => streams.close());
  log.info({ port: server.port, baseUrl: config.BASE_URL }, 'web is listening');
}

function createContext(config: WebConfig): WebContext {
  const log = createLog('web', config.LOG_LEVEL);
  const closing = new ClosingStack(log);
  const endProcess = endOnSignal(closing, log, config.SHUTDOWN_DEADLINE_MS);
  if (config.WEB_CONCURRENCY === 1) onSighup(() => log.warn(sighupIgnored));
  closing.defer('loop watchdog', watchLoop('web', log), (stop) => stop());
  return {
    config,
    log,
    closing,
    conditions: createConditions(log),
    postgresMetrics: createPostgresMetrics(),
    epoch: createCurrentEpoch(),
    endProcess,
  };
}
