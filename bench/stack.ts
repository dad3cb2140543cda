import { copyFile, cp, rm } from 'node:fs/promises';
import path from 'node:path';
import { createApiKeys } from '../src/api-keys/api-keys.ts';
import { createClickStream } from '../src/clicks/stream/stream.ts';
import type { Log } from '../src/log.ts';
import { ClosingStack } from '../src/resilience/shutdown.ts';
import { closePostgres, openPostgres } from '../src/storage/postgres/postgres.ts';
import { closeRedis } from '../src/storage/redis/redis.ts';
import { migrate } from '../src/storage/schema/migrations.ts';
import { buildInto } from '../test/support/processes/build.ts';
import {
  commandOf,
  launch,
  placeWeb,
  readyWeb,
  readyWorker,
  type Settings,
} from '../test/support/processes/launch.ts';
import { startTestPostgres, startTestRedis } from '../test/support/services/servers.ts';
import { openSingleRedis } from '../test/support/services/single-redis.ts';
import { pin } from './processors.ts';

/** Time limit for the graceful shutdown of a web process, including unconfirmed clicks. */
const stopMs = 30_000;

/** A web process under load: Linkmill's, or a baseline. */
export interface Server {
  baseUrl: string;
  pid: number;
}

export type Stack = Awaited<ReturnType<typeof openStack>>;

/** Builds and starts the parts of a service as in production: PostgreSQL, Redis with fsync every second, and worker
 *  processes. Any number of web processes can be started on it, pinned to `webProcessors` if given. */
export async function openStack(
  closing: ClosingStack,
  log: Log,
  options: {
    webProcessors?: string | undefined;
    nodeOptions?: string[];
    /** Settings of all processes. */
    settings?: Settings;
    workers?: number;
    /** A build that another stack uses too. */
    build?: string;
  } = {},
) {
  const build = options.build ?? (await makeBuild(closing));
  const insertEachBuild = await copyWithInsertEach(build, closing);
  const [postgres, redisServer] = await Promise.all([
    startTestPostgres({ keepsCommits: true }),
    startTestRedis({ appendonly: true }),
  ]);
  closing.defer('PostgreSQL', postgres, (server) => server.stop());
  closing.defer('Redis', redisServer, (server) => server.stop());
  const db = closing.defer(
    'postgres',
    openPostgres({ url: postgres.url, poolMax: 4, queryTimeoutMs: 120_000, name: 'bench' }),
    closePostgres,
  );
  const redis = closing.defer('redis', openSingleRedis('jobs', redisServer.url, log), closeRedis);
  await migrate(db);

  const stores = {
    DATABASE_URL: postgres.url,
    REDIS_URL: redisServer.url,
    NODE_ENV: 'production',
    ...options.settings,
  };
  const start = (owner: ClosingStack, commandLine: string[], settings: Settings) =>
    owner.defer('process', launch([...(options.nodeOptions ?? []), ...commandLine], settings), (started) =>
      started.stop(),
    );
  const workers = await Promise.all(
    Array.from(
      { length: options.workers ?? 1 },
      async () => await readyWorker(start(closing, commandOf(build, 'workers/main.js'), stores)),
    ),
  );
  const webs = new ClosingStack(log);
  const stopWebs = async () => void (await webs.closeAll(stopMs));
  closing.defer('web processes', webs, stopWebs);

  return {
    db,
    redis,
    /** The click stream of processes with the default settings. */
    clickStream: createClickStream(redis, { prefix: 'linkmill', shards: 1 }),
    postgres,
    workers,
    worker: workers[0]!,
    insertEachBuild,
    apiKey: (await createApiKeys(db).create('bench')).key,

    /** Starts an entry file of a build on these stores; resolves when it listens. */
    async startWeb(entry: string, settings: Settings = {}, folder = build): Promise<Server> {
      const placed = await placeWeb({ ...stores, ...settings });
      const { baseUrl, pid } = await readyWeb(start(webs, commandOf(folder, entry), placed), placed);
      if (options.webProcessors !== undefined) pin(pid, options.webProcessors);
      return { baseUrl, pid };
    },

    /** Ends all web processes, including the baselines. */
    stopWebs,
  };
}

/** Compiles Linkmill and the baselines into a folder, which is removed at the end. */
export async function makeBuild(closing: ClosingStack): Promise<string> {
  const folder = deferFolder(closing, path.resolve(`.cache/bench-build-${process.pid}`));
  await buildInto(folder, 'bench/tsconfig.json');
  return folder;
}

/** A copy of the build in which creates do not share INSERT statements. */
async function copyWithInsertEach(build: string, closing: ClosingStack): Promise<string> {
  const folder = deferFolder(closing, `${build}-insert-each`);
  await cp(build, folder, { recursive: true });
  const [standIn, shared] = ['bench/baselines/insert-each.js', 'src/resilience/batch-writer.js'];
  // Fails if there is nothing to replace.
  await rm(path.join(folder, shared));
  await copyFile(path.join(folder, standIn), path.join(folder, shared));
  return folder;
}

const deferFolder = (closing: ClosingStack, folder: string) =>
  closing.defer('build', folder, async () => await rm(folder, { recursive: true, force: true }));
