import { cp, readdir } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createApiKeys } from '../../../src/api-keys/api-keys.ts';
import { createPeople } from '../../../src/api-keys/people.ts';
import { type Knex, openPostgres } from '../../../src/storage/postgres/postgres.ts';
import { createClient } from '../../support/http/client.ts';
import { sendRedirects } from '../../support/processes/load.ts';
import { type RunbookService, startRunbookService } from '../../support/processes/runbook-service.ts';
import { createMachine, shellBlocksOf } from '../../support/processes/runbook.ts';
import { administer, databaseUrl } from '../../support/services/databases.ts';
import { hasPostgresInstallation } from '../../support/services/postgres-installation.ts';
import { startTestRedis } from '../../support/services/servers.ts';
import { createUrl } from '../../support/urls/urls.ts';
import { waitUntil } from '../../support/wait-until.ts';

const agents = Array.from(
  { length: 5 },
  (_, i) => `Mozilla/5.0 (X11; Linux x86_64; rv:${100 + i}.0) Firefox/${100 + i}.0`,
);

type Machine = Awaited<ReturnType<typeof createMachine>>;

let service: RunbookService;
let db: Knex;
let apiKey: { id: number; key: string };
let machine: Machine;

const client = () => createClient(service.settings.BASE_URL, apiKey.key);

async function openMachine(settings: Record<string, string>): Promise<Machine> {
  const supervisor = service.createSupervisor(settings);
  const opened = await createMachine(settings, { path: service.bin, supervisor });
  service.defer(opened.remove);
  return opened;
}

async function openDatabase(url: string): Promise<Knex> {
  const opened = openPostgres({ url, poolMax: 4, queryTimeoutMs: 60_000, name: 'test' });
  service.defer(async () => await opened.destroy());
  return opened;
}

/** Visits a short URL with several user agents, so that it has click events. */
async function visit(code: string, count: number): Promise<void> {
  for (let i = 0; i < count; i++)
    await client().get(`/${code}`, { 'user-agent': agents[i % agents.length]! });
}

const countRows = async (where: Knex, table: string): Promise<number> =>
  Number((await where(table).count('* as count'))[0]!['count']);

describe.skipIf(!hasPostgresInstallation())('the commands of the runbook', () => {
  beforeAll(async () => {
    service = await startRunbookService('old_machine');
    db = await openDatabase(service.settings.DATABASE_URL);
    apiKey = await createApiKeys(db).create('Ada Lovelace');
    machine = await openMachine(service.settings);
  });
  afterAll(async () => await service.close());

  test('a backup of a running service is complete and contains no salt of visitor IDs', async () => {
    const code = await createUrl(client());
    await visit(code, 5);
    await waitUntil('the clicks are counted', async () => (await countRows(db, 'url_analytics')) > 0);
    expect(await countRows(db, 'visitor_salts')).toBeGreaterThan(0);
    const [backUp = '', check = ''] = shellBlocksOf('## Backup');
    const busy = sendRedirects(
      service.settings.BASE_URL,
      Array.from({ length: 500 }, () => code),
    );
    await machine.run(backUp);
    await busy;
    await machine.run(check);

    const [dump = ''] = await readdir(path.join(machine.folder, 'backups'));
    await administer(service.postgres.url, 'create database restored');
    const url = databaseUrl(service.postgres.url, 'restored');
    await machine.run(`pg_restore --no-owner --exit-on-error --dbname='${url}' 'backups/${dump}'`);
    const restored = await openDatabase(url);
    expect(await restored('urls').pluck('short_code')).toEqual([code]);
    expect(await countRows(restored, 'url_analytics')).toBeGreaterThan(0);
    expect(await countRows(restored, 'visitor_salts')).toBe(0);
  });

  test('a truncated dump fails its check', async () => {
    const [, check = ''] = shellBlocksOf('## Backup');
    await machine.run('f="$(ls backups/*.dump | tail -n 1)"; head -c 2000 "$f" > backups/zzz.dump');
    await expect(machine.run(check)).rejects.toThrow('exit code');
    await machine.run('rm backups/zzz.dump');
  });

  test('erasing the click events of a short URL keeps its click count', async () => {
    const [code, other] = [await createUrl(client()), await createUrl(client())];
    await visit(code, 5);
    await visit(other, 5);
    const clicksOf = async (which: string) =>
      (await client().get(`/api/v1/urls/${which}/stats`)).body['clicks'];
    await waitUntil(
      'the clicks are counted',
      async () => (await clicksOf(code)) === 5 && (await clicksOf(other)) === 5,
    );
    const [eraseClicks = ''] = shellBlocksOf('## Erase the data of a person');
    await machine.run(eraseClicks, { API_KEY: apiKey.key, SHORT_CODE: code });
    const timesOf = async (which: string) =>
      await db('url_analytics')
        .whereIn('url_id', db('urls').select('id').where({ short_code: which }))
        .pluck('at');
    expect(await timesOf(code)).toEqual([]);
    expect((await timesOf(other)).length).toBeGreaterThan(0);
    expect(await clicksOf(code)).toBe(5);
  });

  test('an erased short URL loses its clicks and copies and no longer redirects', async () => {
    const body = { original_url: 'https://example.com/ada-lovelace' };
    const made = await client().post('/api/v1/urls', body, { 'idempotency-key': 'ada' });
    const code = String(made.body['short_code']);
    await visit(code, 5);
    const { id } = await db('urls').where({ short_code: code }).first<{ id: number }>('id');
    const rows = async () => await db('url_analytics').where({ url_id: id }).pluck('at');
    await waitUntil('the clicks are counted', async () => (await rows()).length > 0);

    const [, eraseUrl = ''] = shellBlocksOf('## Erase the data of a person');
    await machine.run(eraseUrl, { SHORT_CODE: code });
    expect(await rows()).toEqual([]);
    const tables = [
      'urls',
      'idempotency_keys',
      'url_clicks_hourly',
      'url_clicks_daily',
      'url_pending_clicks',
    ];
    const dump = await machine.run(
      `pg_dump --data-only ${tables.map((table) => `-t ${table}`).join(' ')} "$DATABASE_URL"`,
    );
    expect(dump).not.toContain('ada-lovelace');
    expect(dump).not.toContain(code);
    await waitUntil(
      'the erased short URL answers 404',
      async () => (await client().get(`/${code}`)).status === 404,
    );
    expect(await machine.run('npm run --silent reconcile -- --wait 30')).toMatch(/^exact/);
  });

  test('erasing reports, an API key name, a person, imports and exports keeps unrelated data', async () => {
    const [code, other] = [await createUrl(client()), await createUrl(client())];
    for (const short_code of [code, other])
      await client().post('/report', { short_code, reason: 'other', comment: `Ada about ${short_code}` });
    const exported = await client().post('/api/v1/exports', { format: 'csv' });
    await waitUntil('the export is completed', async () => {
      const { body } = await client().get(`/api/v1/exports/${String(exported.body['id'])}`);
      return body['state'] === 'completed';
    });
    const [, , eraseReports = '', eraseName = '', erasePerson = '', eraseTransfers = ''] = shellBlocksOf(
      '## Erase the data of a person',
    );
    await machine.run(eraseReports, { SHORT_CODE: code });
    expect(await db('reports').pluck('short_code')).toEqual([other]);
    await machine.run(eraseName, { API_KEY_ID: String(apiKey.id) });
    expect(await db('api_keys').pluck('name')).toEqual(['erased']);
    expect((await client().get('/api/v1/api-keys/current')).status).toBe(200);
    const identity = { issuer: 'https://id.example', subject: 'ada' };
    const permissions = { scopes: ['urls:read' as const], ownUrlsOnly: true };
    const id = (await createPeople(db).admit({ name: 'Ada', ...identity, ...permissions }))!;
    for (const keyId of [id, apiKey.id]) await machine.run(erasePerson, { API_KEY_ID: String(keyId) });
    expect(await db('api_keys').where({ id }).first('name', 'issuer', 'subject', 'revoked_at')).toEqual({
      name: 'erased',
      issuer: 'erased',
      subject: String(id),
      revoked_at: expect.any(Date),
    });
    expect((await client().get('/api/v1/api-keys/current')).status).toBe(200);
    await machine.run(eraseTransfers, { API_KEY_ID: String(apiKey.id) });
    expect(await countRows(db, 'exports')).toBe(0);
    expect(await countRows(db, 'export_chunks')).toBe(0);
  });

  test('a move to another machine loses no click, and redirects and creates continue', async () => {
    const codes = await Promise.all([1, 2, 3].map(async () => await createUrl(client())));
    await administer(service.postgres.url, 'create database new_machine');
    const otherRedis = await startTestRedis();
    service.defer(() => otherRedis.stop());
    const moved = {
      ...service.settings,
      DATABASE_URL: databaseUrl(service.postgres.url, 'new_machine'),
      REDIS_URL: otherRedis.url,
    };
    const newMachine = await openMachine(moved);
    const [stopWeb = '', dump = '', restore = '', start = '', tidy = ''] = shellBlocksOf(
      '## Move to another machine',
    );
    // Clicks that are in flight when the web process stops.
    await sendRedirects(
      service.settings.BASE_URL,
      Array.from({ length: 2_000 }, (_, i) => codes[i % 3]!),
    );
    expect(await machine.run(stopWeb)).toContain('exact');
    await machine.run(dump);
    const accepted = await db('url_stats').sum('click_count as clicks').first();
    await cp(path.join(machine.folder, 'move.dump'), path.join(newMachine.folder, 'move.dump'));
    await newMachine.run(restore);
    expect(await newMachine.run(start)).toContain('exact');
    for (const one of [machine, newMachine]) await one.run(tidy);

    const newDb = await openDatabase(moved.DATABASE_URL);
    expect(await newDb('url_stats').sum('click_count as clicks').first()).toEqual(accepted);
    for (const code of codes) expect((await client().get(`/${code}`)).status).toBe(301);
    const created = await createUrl(client());
    expect((await client().get(`/${created}`)).status).toBe(301);
    await waitUntil('new clicks are counted', async () => {
      const { body } = await client().get(`/api/v1/urls/${created}/stats`);
      return body['clicks'] === 1;
    });
  });
});
