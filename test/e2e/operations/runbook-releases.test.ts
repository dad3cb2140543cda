import path from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { findRedisServer } from '../../../scripts/services/redis-server.ts';
import { createApiKeys } from '../../../src/api-keys/api-keys.ts';
import { type Knex, openPostgres } from '../../../src/storage/postgres/postgres.ts';
import { closeRedis, openRedis } from '../../../src/storage/redis/redis.ts';
import { createClient } from '../../support/http/client.ts';
import { createLaterBuild } from '../../support/processes/later-build.ts';
import { startWeb, startWorker, type TestProcess } from '../../support/processes/processes.ts';
import { createMachine, shellBlocksOf } from '../../support/processes/runbook.ts';
import { silentLog, track } from '../../support/resources.ts';
import { administer, createTemplate, databaseUrl } from '../../support/services/databases.ts';
import { addColumn, addIndex } from '../../support/services/migrations-folder.ts';
import { findLastingPort } from '../../support/services/ports.ts';
import {
  findPostgresInstallation,
  hasPostgresInstallation,
} from '../../support/services/postgres-installation.ts';
import { startTestPostgres, startTestRedis, type TestServer } from '../../support/services/servers.ts';
import { createUrl } from '../../support/urls/urls.ts';

let postgres: TestServer;
let redis: TestServer;
let bin: string;
let settings: Record<string, string>;
let db: Knex;
let key: string;
let version: { startWeb: typeof startWeb; startWorker: typeof startWorker };
const running = new Map<string, TestProcess>();
const closers: (() => unknown)[] = [];

/** A supervisor whose units run the build in `version`. */
const supervisor = {
  start: async (unit: string) => {
    const process = unit === 'linkmill-web' ? version.startWeb(settings) : version.startWorker(settings);
    running.set(unit, await process);
  },
  stop: async (unit: string) => {
    expect(await running.get(unit)!.stop(), unit).toBe(0);
    running.delete(unit);
  },
};

async function openMachine(build: string) {
  const { path: server } = await findRedisServer(() => undefined);
  const machine = await createMachine(settings, {
    path: `${bin}:${path.dirname(server)}`,
    supervisor,
    build,
  });
  closers.push(machine.remove);
  return machine;
}

const client = () => createClient(settings['BASE_URL']!, key);

describe.skipIf(!hasPostgresInstallation())('the commands of the runbook', () => {
  beforeAll(async () => {
    const installation = await findPostgresInstallation();
    bin = installation.bin;
    postgres = await startTestPostgres({ binaries: installation.binaries });
    redis = await startTestRedis();
    closers.push(
      track('servers of the runbook'),
      () => postgres.stop(),
      () => redis.stop(),
    );
    await createTemplate(postgres.url, 'released');
    const port = String(await findLastingPort());
    settings = {
      DATABASE_URL: databaseUrl(postgres.url, 'released'),
      REDIS_URL: redis.url,
      PORT: port,
      BASE_URL: `http://127.0.0.1:${port}`,
    };
    db = openPostgres({ url: settings['DATABASE_URL']!, poolMax: 2, queryTimeoutMs: 60_000, name: 'test' });
    closers.push(async () => await db.destroy());
    ({ key } = await createApiKeys(db).create('test'));
    version = { startWeb, startWorker };
    await supervisor.start('linkmill-worker');
    await supervisor.start('linkmill-web');
  });
  afterAll(async () => {
    for (const process of running.values()) await process.stop();
    for (const close of closers.toReversed()) await close();
  });

  test('upgrade and rollback keep short URLs and clicks, and the old version works on newer tables', async () => {
    const later = await createLaterBuild({
      '20270101_000001_add_color': addColumn('color'),
      '20270101_000002_find_titles': addIndex('urls_title', 'on urls (title)', '../src/storage/schema', 'js'),
    });
    closers.push(later.remove);
    const code = await createUrl(client());
    expect((await client().get(`/${code}`)).status).toBe(301);

    const newMachine = await openMachine(later.folder);
    const [migrate = '', replace = '', compare = ''] = shellBlocksOf('## Upgrade');
    expect(await newMachine.run(migrate)).toContain(
      'Migrated: 20270101_000001_add_color, 20270101_000002_find_titles',
    );
    expect((await client().get(`/${code}`)).status).toBe(301);
    version = later;
    expect(await newMachine.run(replace)).toContain('ready');
    expect(await newMachine.run(compare)).toContain('exact');
    expect((await client().get(`/${code}`)).status).toBe(301);

    const oldMachine = await openMachine(inject('buildFolder'));
    const [checkRollback = ''] = shellBlocksOf('## Rollback');
    expect(await oldMachine.run(checkRollback)).toContain('Nothing to migrate.');
    version = { startWeb, startWorker };
    expect(await oldMachine.run(replace)).toContain('ready');
    expect((await client().get(`/${code}`)).status).toBe(301);
    await createUrl(client());
    expect(await oldMachine.run(compare)).toContain('exact');
    expect((await client().get(`/api/v1/urls/${code}/stats`)).body['clicks']).toBe(4);
  });

  test('a rollback to an incompatible version is rejected with the reason', async () => {
    const text = addColumn('shade', `export const breaksOlderCode = 'every short URL needs a shade';`);
    const later = await createLaterBuild({
      '20270101_000001_add_color': addColumn('color'),
      '20270101_000002_find_titles': addIndex('urls_title', 'on urls (title)', '../src/storage/schema', 'js'),
      '20270101_000003_need_shade': text,
    });
    closers.push(later.remove);
    const [migrate = ''] = shellBlocksOf('## Upgrade');
    await (await openMachine(later.folder)).run(migrate);
    const oldMachine = await openMachine(inject('buildFolder'));
    const [checkRollback = ''] = shellBlocksOf('## Rollback');
    await expect(oldMachine.run(checkRollback)).rejects.toThrow(
      '20270101_000003_need_shade (every short URL needs a shade)',
    );
  });

  test('uninstalling removes the database and its Redis keys and no other data', async () => {
    const janitor = openRedis('jobs', redis.url, silentLog);
    await janitor.set('linkmill2:of another service', 'stays');
    const machine = await openMachine(inject('buildFolder'));
    const [stop = '', deleteKeys = '', dropDatabase = ''] = shellBlocksOf('## Uninstall');
    await machine.run(stop);
    expect(await janitor.dbsize()).toBeGreaterThan(5);
    const { env } = await findRedisServer(() => undefined);
    await machine.run(deleteKeys, { LD_LIBRARY_PATH: env['LD_LIBRARY_PATH'] ?? '' });
    expect(await janitor.keys('*')).toEqual(['linkmill2:of another service']);
    await closeRedis(janitor);
    await machine.run(dropDatabase);
    await expect(administer(settings['DATABASE_URL']!, 'select 1')).rejects.toThrow('does not exist');
    await administer(postgres.url, 'select 1');
  });
});
