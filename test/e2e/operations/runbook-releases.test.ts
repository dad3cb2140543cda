import path from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { findRedisServer } from '../../../scripts/services/redis-server.ts';
import { createApiKeys } from '../../../src/api-keys/api-keys.ts';
import { openPostgres } from '../../../src/storage/postgres/postgres.ts';
import { closeRedis, openRedis } from '../../../src/storage/redis/redis.ts';
import { createClient } from '../../support/http/client.ts';
import { createLaterBuild } from '../../support/processes/later-build.ts';
import { startWeb, startWorker } from '../../support/processes/processes.ts';
import { type RunbookService, startRunbookService } from '../../support/processes/runbook-service.ts';
import { createMachine, shellBlocksOf } from '../../support/processes/runbook.ts';
import { silentLog } from '../../support/resources.ts';
import { administer } from '../../support/services/databases.ts';
import { addColumn, addIndex } from '../../support/services/migrations-folder.ts';
import { hasPostgresInstallation } from '../../support/services/postgres-installation.ts';
import { createUrl } from '../../support/urls/urls.ts';

let service: RunbookService;
let key: string;
let version = { startWeb, startWorker };

async function openMachine(build: string) {
  const { path: server } = await findRedisServer(() => undefined);
  const { bin, settings } = service;
  const machine = await createMachine(settings, {
    path: `${bin}:${path.dirname(server)}`,
    supervisor: service.createSupervisor(settings, () => version),
    build,
  });
  service.defer(machine.remove);
  return machine;
}

const client = () => createClient(service.settings.BASE_URL, key);

describe.skipIf(!hasPostgresInstallation())('the commands of the runbook', () => {
  beforeAll(async () => {
    service = await startRunbookService('released', 'linkmill');
    const url = service.settings.DATABASE_URL;
    const db = openPostgres({ url, poolMax: 2, queryTimeoutMs: 60_000, name: 'test' });
    service.defer(async () => await db.destroy());
    ({ key } = await createApiKeys(db).create('test'));
  });
  afterAll(async () => await service.close());

  test('upgrade and rollback keep short URLs and clicks, and the old version works on newer tables', async () => {
    const later = await createLaterBuild({
      '20270101_000001_add_color': addColumn('color'),
      '20270101_000002_find_titles': addIndex('urls_title', 'on urls (title)', '../src/storage/schema', 'js'),
    });
    service.defer(later.remove);
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
    service.defer(later.remove);
    const [migrate = ''] = shellBlocksOf('## Upgrade');
    await (await openMachine(later.folder)).run(migrate);
    const oldMachine = await openMachine(inject('buildFolder'));
    const [checkRollback = ''] = shellBlocksOf('## Rollback');
    await expect(oldMachine.run(checkRollback)).rejects.toThrow(
      '20270101_000003_need_shade (every short URL needs a shade)',
    );
  });

  test('uninstalling removes the database and its Redis keys and no other data', async () => {
    const janitor = openRedis('jobs', service.redis.url, silentLog);
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
    await expect(administer(service.settings.DATABASE_URL, 'select 1')).rejects.toThrow('does not exist');
    await administer(service.postgres.url, 'select 1');
  });
});
