import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { createApiKeys } from '../../../src/api-keys/api-keys.ts';
import { type Knex, openPostgres } from '../../../src/storage/postgres/postgres.ts';
import { migrate } from '../../../src/storage/schema/migrations.ts';
import { createClient } from '../../support/http/client.ts';
import {
  runProcess,
  startProcess,
  startWeb,
  startWorker,
  type TestProcess,
} from '../../support/processes/processes.ts';
import { createDatabase, track, useDatabase, useRedis } from '../../support/resources.ts';
import { startTestPostgres, type TestServer } from '../../support/services/servers.ts';
import { dumpDatabase, restoreDump } from '../../support/urls/database-dump.ts';
import { createUrl } from '../../support/urls/urls.ts';
import { waitUntil } from '../../support/wait-until.ts';

/** Processes start and end several times; the limit includes a margin for a busy machine. */
vi.setConfig({ testTimeout: 180_000 });

const redis = useRedis();
let services = 0;

interface Service {
  settings: Record<string, string>;
  client: ReturnType<typeof createClient>;
  web: TestProcess & { baseUrl: string };
  worker: TestProcess;
  stop: () => Promise<void>;
}

async function startService(db: Knex, url: string): Promise<Service> {
  const { key } = await createApiKeys(db).create('restore');
  const settings = {
    DATABASE_URL: url,
    REDIS_URL: redis.url(),
    REDIS_PREFIX: `${redis.prefix}-${++services}`,
  };
  const [web, worker] = await Promise.all([startWeb(settings), startWorker(settings)]);
  const service: Service = {
    settings,
    client: createClient(web.baseUrl, key),
    web,
    worker,
    stop: async () => void (await Promise.all([web.stop(), service.worker.stop()])),
  };
  return service;
}

/** Resolves to the location of the redirect, or to the status if there is none. */
async function visit({ client }: Service, code: string): Promise<string | number> {
  const { status, headers } = await client.get(`/${code}`);
  return status === 301 ? headers.get('location')! : status;
}

/** Waits until each code redirects as expected; resolves to the elapsed milliseconds. */
async function waitForRedirects(service: Service, expected: Record<string, string | number>) {
  const start = performance.now();
  await waitUntil('redirects follow the table', async () => {
    const found = await Promise.all(
      Object.entries(expected).map(async ([code, target]) => (await visit(service, code)) === target),
    );
    return found.every(Boolean);
  });
  return performance.now() - start;
}

const readClicks = async (db: Knex, code: string): Promise<number> =>
  (await db('urls').join('url_stats', 'url_id', 'id').where({ short_code: code }).first('click_count'))
    ?.click_count;

const readHealth = async ({ client }: Service) =>
  (await client.get('/health')).body as { conditions: { code: string }[] };

/** Makes the writes that the backup or the standby lacks: an edit, a deletion and a create. */
async function writeLostPart(service: Service, codes: { changed: string; deleted: string }) {
  const { client } = service;
  await client.patch(`/api/v1/urls/${codes.changed}`, { original_url: 'https://lost.example/' });
  await client.delete(`/api/v1/urls/${codes.deleted}`);
  const created = await createUrl(client, { original_url: 'https://created.example/' });
  expect(await visit(service, codes.changed)).toBe('https://lost.example/');
  expect(await visit(service, codes.deleted)).toBe(404);
  return created;
}

/** Asserts that redirects follow the older database, that an edit works, and that a short URL with the ID of a lost one counts
 *  only its own clicks. */
async function assertFollowsDatabase(
  service: Service,
  db: Knex,
  codes: { changed: string; deleted: string; created: string },
) {
  const ms = await waitForRedirects(service, {
    [codes.changed]: 'https://kept.example/changed',
    [codes.deleted]: 'https://kept.example/deleted',
    [codes.created]: 404,
  });
  await service.client.patch(`/api/v1/urls/${codes.changed}`, { original_url: 'https://edited.example/' });
  expect(await visit(service, codes.changed)).toBe('https://edited.example/');
  const reused = await createUrl(service.client, { original_url: 'https://reused.example/' });
  for (let i = 0; i < 3; i++) expect(await visit(service, reused)).toBe('https://reused.example/');
  service.worker = await startWorker(service.settings);
  await waitUntil(
    'the clicks of the reused code are counted',
    async () => (await readClicks(db, reused)) >= 3,
  );
  expect((await readHealth(service)).conditions).toContainEqual(
    expect.objectContaining({ code: 'database_epoch_changed' }),
  );
  return { ms, reused };
}

describe('a database restored from a dump while Redis keeps its data', () => {
  const { db, url } = useDatabase();
  let service: Service;

  beforeAll(async () => {
    service = await startService(db(), url());
  });
  afterAll(async () => {
    await service.stop();
  });

  test('redirects follow the dump, edits work, and no click counts for another short URL', async () => {
    const { client } = service;
    const changed = await createUrl(client, { original_url: 'https://kept.example/changed' });
    const deleted = await createUrl(client, { original_url: 'https://kept.example/deleted' });
    await waitForRedirects(service, { [changed]: 'https://kept.example/changed' });
    const dump = await dumpDatabase(url());
    const created = await writeLostPart(service, { changed, deleted });
    // The last clicks wait in Redis with the ID of a short URL that the restore removes.
    await service.worker.stop();
    for (let i = 0; i < 20; i++) await visit(service, created);
    await restoreDump(url(), dump);
    const { ms, reused } = await assertFollowsDatabase(service, db(), { changed, deleted, created });
    process.stdout.write(`restored: right after ${Math.round(ms)} ms\n`);
    await waitUntil(
      'lost clicks are dead letters',
      async () => (await db()('click_dead_letters')).length > 0,
    );
    expect(await readClicks(db(), reused)).toBe(3);
    const { stdout } = await runProcess('src/cli/reconcile.js', { DATABASE_URL: url() }, ['--wait', '5']);
    expect(stdout).toMatch(/epoch 2 began at .*: restored, cloned or promoted/);
    expect(stdout).toMatch(/\d+ clicks in \d+ batches on short URLs that this database does not have/);
  });

  test('a process with another database exits with code 1 and the command that fixes it', async () => {
    const other = await createDatabase();
    const settings = { ...service.settings, DATABASE_URL: other.url };
    const refused = [
      startProcess('src/web.js', { ...settings, BASE_URL: 'http://127.0.0.1:1', PORT: '0' }),
      startProcess('workers/main.js', settings),
    ];
    expect(await Promise.all(refused.map(async ({ ended }) => await ended))).toEqual([1, 1]);
    for (const { output } of refused) expect(output()).toMatch(/REDIS_PREFIX.*npm run restore-complete/);
    const { code, stderr } = await runProcess('src/cli/restore-complete.js', settings);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/another database/) });
    await other.drop();
    expect(await visit(service, await createUrl(service.client))).toBe('https://example.com/page');
  });

  test('restore-complete begins an epoch that every process follows', async () => {
    const before = Number((await db()('database_epochs').max('number as number').first())!['number']);
    const { code, stdout } = await runProcess('src/cli/restore-complete.js', service.settings);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringContaining(`Epoch ${before + 1} began`),
    });
    // Earlier clicks would belong to the previous epoch.
    await waitUntil('the web process has the new epoch', () =>
      service.web.output().includes(`"epoch":${before + 1},`),
    );
    const code1 = await createUrl(service.client);
    expect(await visit(service, code1)).toBe('https://example.com/page');
    await waitUntil('the click is counted', async () => (await readClicks(db(), code1)) === 1);
  });
});

describe('a PostgreSQL replaced', () => {
  let postgres: TestServer;
  let db: Knex;
  let service: Service;
  let dataDir: string;
  let closed: () => void;

  beforeAll(async () => {
    postgres = await startTestPostgres({ keepsCommits: true });
    closed = track('PostgreSQL server');
  });
  afterAll(async () => {
    await postgres.stop();
    closed();
  });

  async function begin() {
    db = openPostgres({ url: postgres.url, poolMax: 5, queryTimeoutMs: 60_000, name: 'test' });
    await migrate(db);
    ({ dataDir } = (await db.raw(`select current_setting('data_directory') as "dataDir"`)).rows[0]);
    service = await startService(db, postgres.url);
  }
  afterEach(async () => {
    await service.stop();
    await db.destroy();
  });

  const copy = (from: string, to: string) =>
    spawnSync('sh', ['-c', 'rm -rf "$2" && cp -a "$1" "$2"', 'sh', from, to], { encoding: 'utf8' });

  async function promote() {
    await waitUntil('the standby is promoted', async () => {
      const { rows } = await db.raw('select pg_is_in_recovery() as standby');
      if (rows[0].standby) await db.raw('select pg_promote(true, 5)');
      return !rows[0].standby;
    });
  }

  for (const { title, isStandby } of [
    { title: 'by an older copy of its files', isStandby: false },
    { title: 'by a lagging standby', isStandby: true },
  ])
    test(`${title}: redirects follow it, and no click counts for another short URL`, async () => {
      await begin();
      const changed = await createUrl(service.client, { original_url: 'https://kept.example/changed' });
      const deleted = await createUrl(service.client, { original_url: 'https://kept.example/deleted' });
      const backup = `${dataDir}.backup`;
      await postgres.kill();
      copy(dataDir, backup);
      await postgres.start();
      await waitUntil('PostgreSQL answers the service', async () => {
        const { status } = await service.client.get(`/api/v1/urls/${changed}`);
        return status === 200;
      });
      const created = await writeLostPart(service, { changed, deleted });
      await service.worker.stop();
      for (let i = 0; i < 20; i++) await visit(service, created);
      await postgres.kill();
      copy(backup, dataDir);
      if (isStandby)
        spawnSync('cp', ['-a', path.join(dataDir, 'PG_VERSION'), path.join(dataDir, 'standby.signal')]);
      await postgres.start();
      if (isStandby) await promote();
      const { ms, reused } = await assertFollowsDatabase(service, db, { changed, deleted, created });
      process.stdout.write(`${title}: right after ${Math.round(ms)} ms\n`);
      expect(await readClicks(db, reused)).toBe(3);
    });

  test('by an up-to-date standby: every waiting click is counted', async () => {
    await begin();
    const { rows } = await db.raw('select now() as begun');
    const { begun } = rows[0];
    const code = await createUrl(service.client, { original_url: 'https://kept.example/' });
    await service.worker.stop();
    const before = 20;
    for (let i = 0; i < before; i++) await visit(service, code);
    await postgres.kill();
    spawnSync('cp', ['-a', path.join(dataDir, 'PG_VERSION'), path.join(dataDir, 'standby.signal')]);
    await postgres.start();
    await promote();
    await waitForRedirects(service, { [code]: 'https://kept.example/' });
    service.worker = await startWorker(service.settings);
    await waitUntil('every click is counted', async () => (await readClicks(db, code)) > before);
    expect(await db('click_dead_letters').where('created_at', '>', begun)).toEqual([]);
    expect(await db('database_epochs').orderBy('number', 'desc').first()).toMatchObject({
      reason: 'restored, cloned or promoted',
    });
  });
});
