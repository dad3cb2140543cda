import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';
import { migrate } from '../../src/migrations.ts';
import { openPostgres } from '../../src/postgres.ts';
import { startTestPostgres, startTestRedis } from './servers.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** A server on which tests may create databases. */
    postgresUrl: string;
    /** A database with every table and no row, to be cloned. */
    templateDatabase: string;
    /** A server that tests share: each file keeps to its own prefix, and nobody empties or stops it. */
    redisUrl: string;
    /** What the processes of the flows run: a build of its own, so that two runs and a running service do not meet. */
    buildFolder: string;
  }
}

const buildFolder = path.resolve(`.cache/test-build-${process.pid}`);

/** Starts what every test file shares, builds what the processes of the flows run, and migrates the template database. */
export default async function setup(project: TestProject) {
  // Before any server is there to be left running.
  await promisify(execFile)('node_modules/.bin/tsc', ['-p', 'tsconfig.build.json', '--outDir', buildFolder]);
  const [postgres, redis] = await Promise.all([
    givenOr('TEST_DATABASE_URL', startTestPostgres),
    givenOr('TEST_REDIS_URL', startTestRedis),
  ]);
  project.provide('buildFolder', buildFolder);
  const templateDatabase = `linkmill_template_${process.pid}`;
  const admin = openPostgres({ url: postgres.url, poolMax: 1, queryTimeoutMs: 60_000, name: 'test' });
  await admin.raw(`create database ${templateDatabase}`);
  await migrateTemplate(databaseUrl(postgres.url, templateDatabase));
  project.provide('postgresUrl', postgres.url);
  project.provide('templateDatabase', templateDatabase);
  project.provide('redisUrl', redis.url);

  return async () => {
    await admin.raw(`drop database ${templateDatabase} with (force)`);
    await admin.destroy();
    await Promise.all([postgres.stop(), redis.stop(), rm(buildFolder, { recursive: true })]);
  };
}

async function givenOr(name: string, start: () => Promise<{ url: string; stop: () => Promise<void> }>) {
  const url = process.env[name];
  return url ? { url, stop: async () => {} } : await start();
}

async function migrateTemplate(url: string) {
  const db = openPostgres({ url, poolMax: 2, queryTimeoutMs: 60_000, name: 'test' });
  await migrate(db, url);
  await db.destroy();
}

/** The address of another database on the same server. */
function databaseUrl(serverUrl: string, database: string) {
  const url = new URL(serverUrl);
  url.pathname = `/${database}`;
  return url.href;
}
