import { setTimeout as delay } from 'node:timers/promises';
import { readArguments } from '../src/cli/command-line.ts';
import { loadConfigOrExit } from '../src/config/load.ts';
import { workerSettings } from '../src/config/worker.ts';
import { createEpochStamp } from '../src/epoch/epoch-stamp.ts';
import { createEpochStore } from '../src/epoch/epoch-store.ts';
import { createEpochWatch } from '../src/epoch/epoch-watch.ts';
import { createCurrentEpoch } from '../src/epoch/epoch.ts';
import { readStateWithCodeCase } from '../src/keys/code-case.ts';
import { createLog } from '../src/log.ts';
import { isJobName, type JobData, type JobName, jobNames, jobs } from '../src/queues/jobs.ts';
import { ClosingStack } from '../src/resilience/shutdown.ts';
import { openPostgres } from '../src/storage/postgres/postgres.ts';
import { openCacheRedis } from '../src/storage/redis/cache-service.ts';
import { watchRedisMemory } from '../src/storage/redis/memory.ts';
import { closeRedis, openRedis } from '../src/storage/redis/redis.ts';
import { requireSchema } from '../src/storage/schema/require-schema.ts';
import type { JobContext, Processor } from './job-context.ts';
import { createProcessors } from './registry.ts';

/** `npm run job`: runs one job without a queue and prints its summary as JSON. Exit code 0 when it has completed, 1 when it failed, 2 for
 *  invalid arguments. */
const queryTimeoutMs = 600_000;
const closingMs = 5_000;
/** How often it checks whether processes of another database still use Redis. */
const pollEveryMs = 1_000;

const nameWidth = Math.max(...jobNames.map(({ length }) => length));
const usage = `Usage: npm run job -- NAME ['{"json":"data"}']
${jobNames.map((name) => `  ${name.padEnd(nameWidth)}  ${jobs[name].description}`).join('\n')}
`;

const { name, data } = readArguments(usage, readJob);
const config = loadConfigOrExit(workerSettings);
const log = createLog('job', config.LOG_LEVEL === 'info' ? 'warn' : config.LOG_LEVEL);
const closing = new ClosingStack(log);
const db = closing.defer(
  'postgres',
  openPostgres({ url: config.DATABASE_URL, poolMax: 2, queryTimeoutMs, name: 'job' }),
  (pool) => pool.destroy(),
);
const redis = closing.defer('redis', openRedis('jobs', config.REDIS_URL, log), closeRedis);
const cacheRedis = openCacheRedis('jobs', config, { redis, closing, log });
const memory = closing.defer(
  'redis memory',
  watchRedisMemory(cacheRedis, log, { mayEvict: cacheRedis !== redis }),
  (watch) => watch.stop(),
);
try {
  await requireSchema(
    db,
    (line) => void process.stderr.write(`${line}\n`),
    async () => await readStateWithCodeCase(db, config.CODES_IGNORE_CASE),
  );
  const summary = await run(name);
  process.stdout.write(`${JSON.stringify(summary)}\n`);
} catch (error) {
  process.stderr.write(`${name} failed: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
await closing.closeAll(closingMs);
process.exit();

async function run<Name extends JobName>(jobName: Name) {
  const epoch = createCurrentEpoch();
  for (const one of new Set([redis, cacheRedis])) {
    const watch = createEpochWatch({
      store: createEpochStore(db),
      stamp: createEpochStamp(one, config.REDIS_PREFIX),
      current: epoch,
      endProcess: () => undefined,
      log,
    });
    while ((await watch.check()) === 'waiting') await delay(pollEveryMs);
  }
  const { versionFloor } = epoch;
  const processor: Processor<Name> = createProcessors({
    config,
    db,
    redis,
    cacheRedis,
    hasRoom: memory.hasRoom,
    versionFloor,
  })[jobName];
  const interruption = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => interruption.abort());
  const context: JobContext = {
    signal: interruption.signal,
    reportProgress: async (percent) => {
      if (process.stderr.isTTY)
        process.stderr.write(`\r${jobName} ${percent} %${percent === 100 ? '\n' : ''}`);
    },
  };
  return await processor(data as JobData[Name], context);
}

function readJob([name = '', json = '{}', extra]: string[]) {
  if (!isJobName(name)) throw new Error(name ? `Unknown job: ${name}.` : 'No job given.');
  if (extra !== undefined) throw new Error(`Unknown argument: ${extra}`);
  const data = jobs[name].data.safeParse(parseJson(name, json));
  if (data.success) return { name, data: data.data };
  const problems = data.error.issues.map(({ path, message }) => [...path, message].join(' '));
  throw new Error(`Data of ${name}: ${problems.join('; ')}.`);
}

function parseJson(name: JobName, json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    throw new Error(`Data of ${name} must be JSON.`, { cause: error });
  }
}
