import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { buildInto } from '../../support/processes/build.ts';
import { administer, createTemplate, databaseUrl } from '../../support/services/databases.ts';
import { startTestPostgres, type TestServer } from '../../support/services/servers.ts';
import { linkmill, type System } from './system.ts';

/** Resources that all faults of a run share: a build, and a PostgreSQL with a database per fault. */
export interface Testbed {
  linkmill: System;
  postgres: TestServer;
  /** Functions that stop the running stacks. */
  stacks: Set<() => Promise<void>>;
  createDatabase(): Promise<{ url: string; drop: () => Promise<void> }>;
  /** Stops everything that was started on the testbed. */
  close(): Promise<void>;
}

const template = 'faults_template';

/** Starts a PostgreSQL that keeps commits when it is killed; builds, unless a build is given. */
export async function openTestbed(givenBuild?: string): Promise<Testbed> {
  const buildFolder = givenBuild ?? path.resolve(`.cache/faults-build-${process.pid}`);
  if (givenBuild === undefined) await buildInto(buildFolder);
  const postgres = await startTestPostgres({ keepsCommits: true });
  await createTemplate(postgres.url, template);
  const stacks: Testbed['stacks'] = new Set();
  return {
    stacks,
    linkmill: linkmill(buildFolder),
    postgres,
    createDatabase: async () => {
      const name = `faults_${randomBytes(4).toString('hex')}`;
      await administer(postgres.url, `create database ${name} template ${template}`);
      return {
        url: databaseUrl(postgres.url, name),
        drop: async () => await administer(postgres.url, `drop database ${name} with (force)`),
      };
    },
    close: async () => {
      postgres.resume();
      await Promise.all([...stacks].map(async (closeStack) => await closeStack()));
      await postgres.stop();
      if (givenBuild === undefined) await rm(buildFolder, { recursive: true, force: true });
    },
  };
}
