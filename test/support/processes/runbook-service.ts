import { expect } from 'vitest';
import { findFreePort } from '../../../scripts/services/ports.ts';
import { track, uniquePrefix } from '../resources.ts';
import { createTemplate, databaseUrl } from '../services/databases.ts';
import { findPostgresInstallation } from '../services/postgres-installation.ts';
import { startTestPostgres, startTestRedis } from '../services/servers.ts';
import type { Settings } from './launch.ts';
import { startWeb, startWorker, type TestProcess } from './processes.ts';
import type { Supervisor } from './runbook.ts';

/** Starts PostgreSQL, Redis, and a web and a worker process on a new database, as the runbook presumes. `prefix` is the
 *  Redis prefix. The processes are units of a supervisor. */
export async function startRunbookService(databaseName: string, prefix = uniquePrefix()) {
  const closed = track('servers of the runbook');
  const { bin, binaries } = await findPostgresInstallation();
  const postgres = await startTestPostgres({ binaries });
  const redis = await startTestRedis();
  const closers: (() => unknown)[] = [closed, () => postgres.stop(), () => redis.stop()];
  await createTemplate(postgres.url, databaseName);
  const port = String(await findFreePort());
  const settings = {
    DATABASE_URL: databaseUrl(postgres.url, databaseName),
    REDIS_URL: redis.url,
    REDIS_PREFIX: prefix,
    PORT: port,
    BASE_URL: `http://127.0.0.1:${port}`,
  };
  const running = new Map<string, TestProcess>();

  /** A supervisor whose units have these settings, and run the build that `build` returns when they start. */
  function createSupervisor(own: Settings, build = () => ({ startWeb, startWorker })): Supervisor {
    return {
      async start(unit) {
        const version = build();
        const process = unit === 'linkmill-web' ? version.startWeb(own) : version.startWorker(own);
        running.set(unit, await process);
      },
      async stop(unit) {
        expect(await running.get(unit)!.stop(), unit).toBe(0);
        running.delete(unit);
      },
    };
  }

  for (const unit of ['linkmill-worker', 'linkmill-web']) await createSupervisor(settings).start(unit);
  return {
    /** The folder of PostgreSQL's client programs. */
    bin,
    postgres,
    redis,
    settings,
    createSupervisor,

    /** Calls `close` when the service is closed. */
    defer: (close: () => unknown) => void closers.push(close),

    async close(): Promise<void> {
      for (const process of running.values()) await process.stop();
      for (const close of closers.toReversed()) await close();
    },
  };
}

export type RunbookService = Awaited<ReturnType<typeof startRunbookService>>;
