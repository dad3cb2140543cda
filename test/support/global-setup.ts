import { rm } from 'node:fs/promises';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { buildInto } from './processes/build.ts';
import { administer, createTemplate } from './services/databases.ts';
import { startTestPostgres, startTestRedis } from './services/servers.ts';

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
  await buildInto(buildFolder);
  const [postgres, redis] = await Promise.all([
    givenOr('TEST_DATABASE_URL', startTestPostgres),
    givenOr('TEST_REDIS_URL', startTestRedis),
  ]);
  project.provide('buildFolder', buildFolder);
  const templateDatabase = `linkmill_template_${process.pid}`;
  await createTemplate(postgres.url, templateDatabase);
  project.provide('postgresUrl', postgres.url);
  project.provide('templateDatabase', templateDatabase);
  project.provide('redisUrl', redis.url);

  return async () => {
    await administer(postgres.url, `drop database ${templateDatabase} with (force)`);
    await Promise.all([postgres.stop(), redis.stop(), rm(buildFolder, { recursive: true })]);
  };
}

async function givenOr(name: string, start: () => Promise<{ url: string; stop: () => Promise<void> }>) {
  const url = process.env[name];
  return url ? { url, stop: async () => {} } : await start();
}
