import { afterAll, beforeAll, expect, test } from 'vitest';
import { createApiKeys } from '../../../src/api-keys/api-keys.ts';
import { type Knex, openPostgres } from '../../../src/storage/postgres/postgres.ts';
import { findPosition } from '../../../src/storage/reads/position.ts';
import { createReplica } from '../../../src/storage/reads/replica.ts';
import { migrate } from '../../../src/storage/schema/migrations.ts';
import { type Client, createClient } from '../../support/http/client.ts';
import { openPrometheus } from '../../support/http/prometheus.ts';
import { startWeb, startWorker, type TestProcess } from '../../support/processes/processes.ts';
import { createRandom } from '../../support/random.ts';
import { silentLog } from '../../support/resources.ts';
import {
  runSql,
  startTestPostgres,
  startTestRedis,
  startTestStandby,
  type TestPostgres,
  type TestRedis,
} from '../../support/services/servers.ts';
import { waitUntil } from '../../support/wait-until.ts';

let primary: TestPostgres;
let standby: TestPostgres;
let redis: TestRedis;
let db: Knex;
let web: TestProcess & { baseUrl: string };
let worker: TestProcess;
let client: Client;
let apiKey: string;

beforeAll(async () => {
  redis = await startTestRedis();
  primary = await startTestPostgres({ keepsCommits: true });
  db = openPostgres({ url: primary.url, poolMax: 4, queryTimeoutMs: 20_000, name: 'replica-test' });
  await migrate(db);
  apiKey = (await createApiKeys(db).create('replica')).key;
  standby = await startTestStandby(primary);
  const settings = {
    DATABASE_URL: primary.url,
    DATABASE_REPLICA_URL: standby.url,
    REDIS_URL: redis.url,
    METRICS_PUBLIC: 'true',
  };
  [web, worker] = await Promise.all([startWeb(settings), startWorker(settings)]);
  client = createClient(web.baseUrl, apiKey);
});

afterAll(async () => {
  await Promise.all([web?.stop(), worker?.stop()]);
  await db?.destroy();
  await Promise.all([primary?.stop(), standby?.stop(), redis?.stop()]);
});

/** Reads that a server has served. */
const readsOf = async (server: 'standby' | 'primary'): Promise<number> =>
  (await openPrometheus(web.baseUrl)).value('linkmill_replica_reads_total', { server });

/** Runs `act`, and returns how many reads the standby served meanwhile. */
async function countStandbyReads(act: () => Promise<unknown>): Promise<number> {
  const before = await readsOf('standby');
  await act();
  return (await readsOf('standby')) - before;
}

let created = 0;
/** Creates a short URL with a tag of its own. */
async function create(): Promise<{ code: string; tag: string }> {
  created += 1;
  const tag = `tag ${created}`;
  const { status, body } = await client.post('/api/v1/urls', {
    original_url: 'https://example.com/',
    tags: [tag],
  });
  expect(status).toBe(201);
  return { code: String(body['short_code']), tag };
}

async function list(path: string): Promise<Record<string, unknown>[]> {
  const { status, body } = await client.get(path);
  expect(status, path).toBe(200);
  return body['items'] as Record<string, unknown>[];
}

const listedCodes = async (tag: string) =>
  (await list(`/api/v1/urls?tag=${encodeURIComponent(tag)}`)).map((item) => item['short_code']);

const pauseReplay = async () => await runSql(standby.url, ['select pg_wal_replay_pause()']);
const resumeReplay = async () => await runSql(standby.url, ['select pg_wal_replay_resume()']);

async function readHealth() {
  const response = await fetch(`${web.baseUrl}/health`);
  return (await response.json()) as {
    status: string;
    conditions: { code: string; reason: string }[];
    checks: Record<string, { status: string; lag_seconds?: number | null }>;
  };
}

const reasonOf = async () =>
  (await readHealth()).conditions.find(({ code }) => code === 'replica_unusable')?.reason;

test('lists, search, tags, hosts and analytics are read from the standby, with what was committed before', async () => {
  const { code, tag } = await create();
  const paths = [
    '/api/v1/urls',
    '/api/v1/urls?sort=-clicks',
    `/api/v1/urls?q=${code}`,
    '/api/v1/url-count',
    '/api/v1/tags',
    '/api/v1/hosts',
    `/api/v1/urls/${code}/analytics`,
    '/api/v1/analytics',
  ];
  for (const path of paths) {
    let status = 0;
    expect(await countStandbyReads(async () => ({ status } = await client.get(path))), path).toBeGreaterThan(
      0,
    );
    expect(status, path).toBe(200);
  }
  expect(await listedCodes(tag)).toEqual([code]);
  await waitUntil('the lag is measured', async () => {
    const { status, lag_seconds: lag } = (await readHealth()).checks['postgres_replica']!;
    return status === 'up' && typeof lag === 'number';
  });
});

test('a list is never older than the changes before it, while the standby pauses at random', async () => {
  const random = createRandom('replica');
  const own = 'random';
  const codes = new Set<string>();
  let [isPaused, outdated] = [false, 0];
  const isListed = async () => {
    const listed = new Set(await listedCodes(own));
    return listed.size === codes.size && [...codes].every((code) => listed.has(code));
  };
  const before = { standby: await readsOf('standby'), primary: await readsOf('primary') };
  for (let step = 0; step < 60; step += 1) {
    const choice = random.next();
    if (choice < 0.2) {
      await (isPaused ? resumeReplay() : pauseReplay());
      isPaused = !isPaused;
    } else if (choice < 0.5 || codes.size === 0) {
      const { body } = await client.post('/api/v1/urls', {
        original_url: 'https://example.com/',
        tags: [own],
      });
      codes.add(String(body['short_code']));
    } else if (choice < 0.65) {
      const [code] = codes;
      await client.delete(`/api/v1/urls/${code!}`);
      codes.delete(code!);
    } else {
      outdated += (await isListed()) ? 0 : 1;
    }
  }
  expect(outdated).toBe(0);
  await resumeReplay();
  expect(await readsOf('standby')).toBeGreaterThan(before.standby);
  expect(await readsOf('primary')).toBeGreaterThan(before.primary);
});

test('an export contains what was created before it, whether the standby has it or not', async () => {
  for (const isPaused of [false, true]) {
    const { code } = await create();
    if (isPaused) await pauseReplay();
    const late = await create();
    const { body } = await client.post('/api/v1/exports', { format: 'ndjson' });
    const exported = await waitUntil('the export is complete', async () => {
      const { body: state } = await client.get(`/api/v1/exports/${String(body['id'])}`);
      return state['state'] === 'completed' && state;
    });
    const file = await fetch(`${web.baseUrl}/api/v1/exports/${String(exported['id'])}/file`, {
      headers: { 'x-api-key': apiKey },
    });
    const text = await file.text();
    expect(text).toContain(code);
    expect(text).toContain(late.code);
    await resumeReplay();
  }
  const connections = openPostgres({
    url: standby.url,
    poolMax: 1,
    queryTimeoutMs: 20_000,
    name: 'replica-test',
  });
  const names = await connections('pg_stat_activity').pluck('application_name');
  await connections.destroy();
  expect(names).toContain('linkmill-worker-standby-exports');
});

test('a standby that hangs delays a list by less than 2 s, and is used again', async () => {
  const { code, tag } = await create();
  standby.hang();
  try {
    for (let i = 0; i < 3; i += 1) {
      const startedAt = performance.now();
      expect(await listedCodes(tag)).toEqual([code]);
      expect(performance.now() - startedAt).toBeLessThan(2_000);
    }
  } finally {
    standby.resume();
  }
  await waitUntil(
    'the standby serves reads',
    async () => (await countStandbyReads(async () => await listedCodes(tag))) > 0,
  );
});

test('a read that the standby ends in favour of its replay runs on the primary', async () => {
  await runSql(standby.url, ['alter system set max_standby_streaming_delay = 0', 'select pg_reload_conf()']);
  await db.raw('create table replayed as select 1 as n');
  const onStandby = openPostgres({
    url: standby.url,
    poolMax: 2,
    queryTimeoutMs: 20_000,
    name: 'replica-test',
  });
  const read = createReplica(onStandby, silentLog).createReadPool({
    primary: db,
    standby: onStandby,
    findPosition: async () => await findPosition(db),
  });
  const servers: string[] = [];
  await read(async (server, check) => {
    await server.transaction(
      async (trx) => {
        await check(trx);
        servers.push(server === db ? 'primary' : 'standby');
        await trx.raw('select n from replayed');
        if (server === db) return;
        // Until the standby has to remove the row that this snapshot sees.
        await db.raw('delete from replayed');
        await db.raw('vacuum replayed');
        for (;;) await trx.raw('select n from replayed');
      },
      { isolationLevel: 'repeatable read' },
    );
  });
  expect(servers).toEqual(['standby', 'primary']);
  await onStandby.destroy();
});

test('without the standby the primary serves everything, and the condition says so', async () => {
  const { code, tag } = await create();
  await standby.kill();
  expect(await listedCodes(tag)).toEqual([code]);
  await waitUntil('the condition is set', reasonOf, 30_000);
  expect(await reasonOf()).toMatch(/^The standby of DATABASE_REPLICA_URL: /);
  expect((await readHealth()).status).toBe('degraded');
  expect((await fetch(`${web.baseUrl}/health/ready`)).status).toBe(200);
  await standby.start();
  await waitUntil('the condition is over', async () => (await reasonOf()) === undefined, 30_000);
  expect(await countStandbyReads(async () => await listedCodes(tag))).toBeGreaterThan(0);
});

test('a standby that was promoted serves nothing', async () => {
  const { tag } = await create();
  await runSql(standby.url, ['select pg_promote(true)', 'delete from urls']);
  const { code } = await create();
  expect(await countStandbyReads(async () => await listedCodes(tag))).toBe(0);
  expect(await listedCodes(tag)).toHaveLength(1);
  expect((await list('/api/v1/urls?limit=1'))[0]).toMatchObject({ short_code: code });
  await waitUntil('the condition names the cause', async () =>
    (await reasonOf())?.includes('no standby of this database'),
  );
});
