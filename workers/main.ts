import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { readArguments } from '../src/cli/command-line.ts';
import { loadConfigOrExit } from '../src/config/load.ts';
import { workerSettings } from '../src/config/worker.ts';
import { createCurrentEpoch } from '../src/epoch/epoch.ts';
import { openEpochWatch } from '../src/epoch/open-epoch-watch.ts';
import { readStateWithCodeCase } from '../src/keys/code-case.ts';
import { createLog } from '../src/log.ts';
import { isJobName, type JobName, jobNames } from '../src/queues/jobs.ts';
import { createQueues } from '../src/queues/queues.ts';
import { sendHeartbeats } from '../src/queues/worker-heartbeats.ts';
import { createConditions } from '../src/resilience/conditions.ts';
import { onSighup } from '../src/resilience/process/hangup.ts';
import { watchLoop } from '../src/resilience/process/loop-watchdog.ts';
import { ClosingStack, endOnSignal } from '../src/resilience/shutdown.ts';
import { createPostgresMetrics } from '../src/storage/postgres/metrics.ts';
import { closePostgres, openPostgres } from '../src/storage/postgres/postgres.ts';
import { watchPostgres } from '../src/storage/postgres/watch.ts';
import { openReplica } from '../src/storage/reads/open-replica.ts';
import { findPosition } from '../src/storage/reads/position.ts';
import { openCacheRedis } from '../src/storage/redis/cache-service.ts';
import { watchRedisMemory } from '../src/storage/redis/memory.ts';
import { closeRedis, openRedis, waitForRedis } from '../src/storage/redis/redis.ts';
import { watchRedis } from '../src/storage/redis/watch.ts';
import { watchSchema } from '../src/storage/schema/schema-watch.ts';
import { channelOf } from '../src/urls/changes/redis-bus.ts';
import { openWorkerEndpoint } from '../src/worker-endpoint.ts';
import { followExternalChanges } from './external-changes.ts';
import { createJobMetrics } from './job-metrics.ts';
import { openFlushWatchdog } from './open-flush-watchdog.ts';
import { createProcessors } from './registry.ts';
import { keepSchedules } from './schedules.ts';
import { watchWorkers } from './watchdog.ts';
import { createWorkerMetrics } from './worker-metrics.ts';
import { startWorkers } from './worker-pool.ts';

/** Time limit of a statement of a job. */
const queryTimeoutMs = 60_000;
/** Connections to a standby for exports. */
const maxExportReads = 2;
/** How long the start waits for Redis. */
const redisWaitMs = 1_000;

const usage = `Usage: node dist/workers/main.js [--queues QUEUE,QUEUE]
  Starts a worker process, which runs jobs until SIGTERM. Settings are environment variables: see docs/configuration.md.
  --queues A,B  serve only these queues: ${jobNames.join(', ')}
`;

const names = readArguments(usage, readQueueNames);
const config = loadConfigOrExit(workerSettings);
const log = createLog('worker', config.LOG_LEVEL);
const closing = new ClosingStack(log);
const endProcess = endOnSignal(closing, log, config.SHUTDOWN_DEADLINE_MS);
onSighup(() => log.warn('ignoring SIGHUP: restart the worker to reload its settings'));
const conditions = createConditions(log);
const jobMetrics = createJobMetrics();
const postgresMetrics = createPostgresMetrics();
const epoch = createCurrentEpoch();
const { versionFloor } = epoch;
closing.defer('loop watchdog', watchLoop('worker', log), (stop) => stop());
closing.defer(
  'redis (probe)',
  await watchRedis(config, {
    prefix: config.REDIS_PREFIX,
    channel: channelOf(config.REDIS_PREFIX),
    conditions,
    log,
  }),
  (stop) => stop(),
);

const db = closing.defer(
  'postgres',
  openPostgres({
    url: config.DATABASE_URL,
    poolMax: config.DATABASE_POOL_MAX,
    queryTimeoutMs,
    name: 'worker',
    metrics: postgresMetrics,
  }),
  closePostgres,
);
const postgresWatch = closing.defer(
  'postgres watch',
  watchPostgres({ db, conditions, changesPartitions: names.includes('maintain-analytics') }),
  (watch) => watch.stop(),
);
void postgresWatch.check();
const replica = openReplica('worker', config, {
  findPosition: async () => await findPosition(db),
  closing,
  conditions,
  postgresMetrics,
  log,
});
const jobsRedis = closing.defer('redis (jobs)', openRedis('jobs', config.REDIS_URL, log), closeRedis);
const cacheRedis = openCacheRedis('jobs', config, { redis: jobsRedis, closing, log });
const memory = closing.defer(
  'redis memory',
  watchRedisMemory(cacheRedis, log, { mayEvict: cacheRedis !== jobsRedis }),
  (watch) => watch.stop(),
);
const producerRedis = closing.defer(
  'redis (producer)',
  openRedis('producer', config.REDIS_URL, log),
  closeRedis,
);
const epochs = openEpochWatch(
  { config, closing, conditions, epoch, log },
  { db, redis: cacheRedis === jobsRedis ? [producerRedis] : [producerRedis, cacheRedis], endProcess },
);
// Before the first job: Redis may belong to another database.
await waitForRedis([producerRedis, cacheRedis], redisWaitMs);
await epochs.start();
const queues = createQueues(producerRedis, config.REDIS_PREFIX, log);
const schemaWatch = closing.defer(
  'schema watch',
  watchSchema({
    read: async () => await readStateWithCodeCase(db, config.CODES_IGNORE_CASE),
    conditions,
    log,
  }),
  (watch) => watch.stop(),
);
await schemaWatch.first;
const workers = closing.defer(
  'workers',
  startWorkers({
    names,
    processors: createProcessors({
      config,
      db,
      redis: jobsRedis,
      cacheRedis,
      hasRoom: memory.hasRoom,
      versionFloor,
      exportPool: replica?.openReadPool(db, { name: 'exports', poolMax: maxExportReads, queryTimeoutMs }),
    }),
    openRedis: () => openRedis('worker', config.REDIS_URL, log),
    redisPrefix: config.REDIS_PREFIX,
    jobMetrics,
    log,
    isPaused: !schemaWatch.isUsable(),
  }),
  (running) => running.stop(),
);
schemaWatch.onChange((isUsable) => {
  log.info(isUsable ? 'resuming jobs' : 'pausing jobs: the tables are not usable');
  workers.setPaused(!isUsable);
});
closing.defer(
  'schedules',
  keepSchedules({
    queues,
    redis: producerRedis,
    cacheRedis,
    hasOwnCache: cacheRedis !== jobsRedis,
    names,
    clickShards: config.CLICK_SHARDS,
    log,
  }),
  (stop) => stop(),
);
if (names.includes('flush-clicks'))
  openFlushWatchdog({
    config,
    closing,
    queryTimeoutMs,
    postgresMetrics,
    // When the state of the queue is unknown, flushing the waiting clicks matters more than a pause.
    isPaused: async () =>
      !schemaWatch.isUsable() || (await queues.isPaused('flush-clicks').catch(() => false)),
    log,
  });
if (names.includes('reconcile-cache'))
  followExternalChanges({
    config,
    db,
    redis: cacheRedis,
    queues,
    closing,
    conditions,
    versionFloor,
    log,
  });
closing.defer('watchdog', watchWorkers({ workers, queues, endProcess, log }), (stop) => stop());
closing.defer(
  'heartbeats',
  sendHeartbeats({
    redis: producerRedis,
    prefix: config.REDIS_PREFIX,
    processId: randomUUID(),
    names,
    log,
  }),
  async (stop) => await stop(),
);
if (config.WORKER_PORT !== undefined) await openEndpoint(config.WORKER_PORT);
await waitForRedis([jobsRedis, producerRedis, cacheRedis], redisWaitMs);
log.info({ queues: names, takesJobs: !workers.isPaused() }, 'worker is running');

async function openEndpoint(port: number): Promise<void> {
  const metrics = createWorkerMetrics({ workers, conditions, jobMetrics, postgresMetrics });
  const server = await openWorkerEndpoint({
    config,
    port,
    health: {
      stores: {
        postgres: { ping: async () => await db.raw('select 1') },
        redis: { ping: async () => await jobsRedis.ping() },
        ...(cacheRedis !== jobsRedis && { redisCache: { ping: async () => await cacheRedis.ping() } }),
      },
      conditions,
      queues: names,
      activeJobs: workers.activeJobs,
      isClosing: () => closing.started,
    },
    showMetrics: metrics.show,
    log,
  });
  closing.defer('endpoint', server, (listening) => listening.close());
}

/** The queues of `--queues a,b`, or all queues. */
function readQueueNames(args: string[]): JobName[] {
  const { values } = parseArgs({ args, options: { queues: { type: 'string' } } });
  if (values.queues === undefined) return jobNames;
  const requested = values.queues.split(',').map((name) => name.trim());
  const unknown = requested.filter((name) => !isJobName(name));
  if (unknown.length > 0) throw new Error(`Unknown queue: ${unknown.join(', ')}.`);
  return requested.filter(isJobName);
}
