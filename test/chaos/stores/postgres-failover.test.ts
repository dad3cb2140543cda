import { afterEach, beforeEach, expect, test } from 'vitest';
import { createApiKeys } from '../../../src/api-keys/api-keys.ts';
import { readAudit } from '../../../src/clicks/ledger/audit.ts';
import { type Knex, openPostgres } from '../../../src/storage/postgres/postgres.ts';
import { migrate } from '../../../src/storage/schema/migrations.ts';
import { assertExactCounts, createCodes } from '../../support/clicks/counts.ts';
import { createClient } from '../../support/http/client.ts';
import { startLoad } from '../../support/processes/load.ts';
import { startWeb, startWorker, type TestProcess } from '../../support/processes/processes.ts';
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
/** Finds the primary, as the processes do. */
let db: Knex;

beforeEach(async () => {
  redis = await startTestRedis();
  primary = await startTestPostgres({ keepsCommits: true });
  const first = open(primary.url);
  await migrate(first);
  await first.destroy();
  standby = await startTestStandby(primary);
  db = open(bothHosts());
});

afterEach(async () => {
  await db.destroy();
  await Promise.all([primary.stop(), standby.stop(), redis.stop()]);
});

const open = (url: string): Knex =>
  openPostgres({ url, poolMax: 4, queryTimeoutMs: 20_000, name: 'failover-test' });

/** The standby first, so that each connection has to choose. */
function bothHosts(): string {
  const { username, password } = new URL(primary.url);
  return `postgres://${username}:${password}@127.0.0.1:${standby.port},127.0.0.1:${primary.port}/linkmill?target_session_attrs=read-write`;
}

const settings = () => ({ DATABASE_URL: bothHosts(), REDIS_URL: redis.url });

/** Sets a server setting. */
const configure = async ({ url }: TestPostgres, setting: string) =>
  await runSql(url, [`alter system set ${setting}`, 'select pg_reload_conf()']);

/** Kills the primary and promotes the standby. */
async function failOver(): Promise<void> {
  await primary.kill();
  await runSql(standby.url, ['select pg_promote(true)']);
}

async function startService(): Promise<{ web: TestProcess & { baseUrl: string }; worker: TestProcess }> {
  const [web, worker] = await Promise.all([startWeb(settings()), startWorker(settings())]);
  return { web, worker };
}

test('a promoted standby is used within 5 s, and its external writes are heard', async () => {
  await configure(primary, "synchronous_standby_names = '*'");
  const { web, worker } = await startService();
  const codes = await createCodes(db, web.baseUrl, 5);
  const client = createClient(web.baseUrl, (await createApiKeys(db).create('failover')).key);
  const load = startLoad(web.baseUrl, codes);
  await waitUntil('the load runs', () => load.answeredInAll() > 1_000);
  await failOver();
  const promotedAt = performance.now();
  await waitUntil('a short URL is created', async () => {
    const { status } = await client.post('/api/v1/urls', { original_url: 'https://example.com/new' });
    return status === 201;
  });
  expect(performance.now() - promotedAt).toBeLessThan(5_000);
  await runSql(standby.url, [
    `update urls set original_url = 'https://example.com/changed' where short_code = '${codes[0]!}'`,
  ]);
  await waitUntil('the change is heard', async () => {
    // From the caches, as a visit, but not a click.
    const response = await fetch(`${web.baseUrl}/${codes[0]!}`, { method: 'HEAD', redirect: 'manual' });
    return response.headers.get('location') === 'https://example.com/changed';
  });
  const before = load.answeredInAll();
  await waitUntil('redirects go on', () => load.answeredInAll() > before + 1_000);
  const tally = await load.stop();
  await assertExactCounts(db, tally, [web, worker]);
  expect(tally.failures).toEqual([]);
});

test('clicks that a lagging standby lacks when it is promoted are counted exactly once', async () => {
  const { web, worker } = await startService();
  const codes = await createCodes(db, web.baseUrl, 5);
  const onStandby = open(standby.url);
  await waitUntil(
    'the standby has the short URLs',
    async () => (await onStandby('urls').pluck('id')).length === codes.length,
  );
  const load = startLoad(web.baseUrl, codes);
  await waitUntil('the load runs', () => load.answeredInAll() > 1_000);
  await configure(standby, "primary_conninfo = ''");
  await waitUntil(
    'the standby receives nothing more',
    async () => (await onStandby('pg_stat_wal_receiver').select('pid')).length === 0,
  );
  await waitUntil(
    'the primary counts clicks that the standby lacks',
    async () => (await readAudit(db)).onUrls > (await readAudit(onStandby)).onUrls + 2_000,
  );
  await onStandby.destroy();
  await failOver();
  const before = load.answeredInAll();
  await waitUntil('redirects go on', () => load.answeredInAll() > before + 1_000);
  const tally = await load.stop();
  await assertExactCounts(db, tally, [web, worker]);
  expect(tally.failures).toEqual([]);
});

test('while no host accepts writes, the condition says so', async () => {
  const web = await startWeb(settings());
  await primary.kill();
  await waitUntil('the condition is reported', async () => {
    const response = await fetch(`${web.baseUrl}/health`);
    const { conditions } = (await response.json()) as { conditions: { reason: string }[] };
    return conditions.some(({ reason }) =>
      reason.includes('None of the hosts of DATABASE_URL accepts writes'),
    );
  });
  expect(await web.stop()).toBe(0);
});
