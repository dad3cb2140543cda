import { rm } from 'node:fs/promises';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { buildInto } from './processes/build.ts';
import { administer, createTemplate } from './services/databases.ts';
import { startTestPostgres, startTestRedis } from './services/servers.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** A server for the databases of tests. */
    postgresUrl: string;
    /** The template database: all tables, no rows. */
    templateDatabase: string;
    /** A server that test files share; each file uses its own prefix. */
    redisUrl: string;
    /** A separate build for the processes of tests, so that test runs and a running service do not interfere. */
    buildFolder: string;
  }
}

const buildFolder = path.resolve(`.cache/test-build-${process.pid}`);

/** Starts the shared servers, builds the service, and migrates the template database. */
export default async function setup(project: TestProject) {
  // First, because a failure must not leave a server running.
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
