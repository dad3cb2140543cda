import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createApiKeys } from '../../../src/api-keys/api-keys.ts';
import { type Client, createClient } from '../../support/http/client.ts';
import { startWeb, type TestProcess } from '../../support/processes/processes.ts';
import { useDatabase, useRedis } from '../../support/resources.ts';
import { administer } from '../../support/services/databases.ts';
import { startPgBouncer } from '../../support/services/pgbouncer.ts';
import { waitUntil } from '../../support/wait-until.ts';

/** Values of session settings that a database may have. */
const settings = fc.record({
  DateStyle: fc.constantFrom('German', 'SQL, DMY', 'Postgres, MDY', 'ISO, YMD'),
  IntervalStyle: fc.constantFrom('sql_standard', 'iso_8601', 'postgres_verbose'),
  TimeZone: fc.constantFrom('Pacific/Chatham', 'America/St_Johns', 'Asia/Kathmandu'),
  default_transaction_isolation: fc.constantFrom('serializable', 'repeatable read'),
  standard_conforming_strings: fc.constantFrom('on', 'off'),
  bytea_output: fc.constantFrom('escape', 'hex'),
  extra_float_digits: fc.constantFrom('-15', '0', '3'),
  client_encoding: fc.constantFrom('LATIN1', 'WIN1251', 'UTF8'),
  lc_numeric: fc.constantFrom('C'),
});

describe.each(['PostgreSQL', 'PgBouncer'])('through %s', (access) => {
  const database = useDatabase();
  const redis = useRedis();
  let pooler: Awaited<ReturnType<typeof startPgBouncer>> | undefined;
  let web: TestProcess & { baseUrl: string };
  let client: Client;
  const name = () => new URL(database.url()).pathname.slice(1);

  beforeAll(async () => {
    const { key } = await createApiKeys(database.db()).create('test');
    pooler = access === 'PgBouncer' ? await startPgBouncer(database.url()) : undefined;
    web = await startWeb({
      DATABASE_URL: pooler?.url ?? database.url(),
      DATABASE_DIRECT_URL: database.url(),
      REDIS_URL: redis.url(),
      REDIS_PREFIX: redis.prefix,
    });
    client = createClient(web.baseUrl, key);
  });
  afterAll(async () => {
    await web.stop();
    await pooler?.stop();
  });

  /** Applies these settings to the database and makes every process reconnect. */
  async function change(given: Record<string, string>) {
    for (const [setting, value] of Object.entries(given))
      await administer(database.url(), `alter database ${name()} set ${setting} = '${value}'`);
    await database.db().raw(
      `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid()`,
    );
    await waitUntil('the API answers', async () => (await client.get('/api/v1/urls')).status === 200, 20_000);
  }

  test('the defaults of PostgreSQL are not reported', async () => {
    const read = async () =>
      (await client.get('/health')).body as {
        checks: { postgres: { status: string } };
        conditions: { code: string }[];
      };
    await waitUntil('PostgreSQL is up', async () => (await read()).checks.postgres.status === 'up');
    expect((await read()).conditions.map(({ code }) => code)).not.toContain('postgres_settings');
  });

  let runs = 0;

  test('session settings of the database change no API result', async () => {
    await fc.assert(
      fc.asyncProperty(settings, async (given) => {
        await change(given);
        const run = (runs += 1);
        const startsAt = new Date(Date.now() + 86_400_000).toISOString();
        const expiresAt = new Date(Date.now() + 2 * 86_400_000).toISOString();
        const title = 'Grüße, мир: \\ \' "';
        const input = {
          original_url: `https://example.com/${run}`,
          starts_at: startsAt,
          expires_at: expiresAt,
          title,
        };
        const created = await client.post('/api/v1/urls', input);
        expect(created).toMatchObject({ status: 201, body: input });
        const code = String(created.body['short_code']);
        expect((await client.get(`/${code}`)).status).toBe(404);
        expect((await client.get(`/api/v1/urls/${code}`)).body).toMatchObject(input);

        // Concurrent find-or-create requests return the same short URL.
        const same = { original_url: `https://example.com/same-${run}`, find_if_exists: true };
        const found = await Promise.all(Array.from({ length: 8 }, () => client.post('/api/v1/urls', same)));
        expect(new Set(found.map(({ status }) => status < 300))).toEqual(new Set([true]));
        expect(new Set(found.map(({ body }) => body['short_code'])).size).toBe(1);

        // No concurrent change fails.
        const changes = await Promise.all(
          Array.from({ length: 12 }, (_, i) => client.patch(`/api/v1/urls/${code}`, { title: `title ${i}` })),
        );
        expect(changes.map(({ status }) => status)).toEqual(Array(12).fill(200));
        const analytics = await client.get('/api/v1/analytics');
        expect(analytics.status).toBe(200);
      }),
      { numRuns: 8 },
    );
  });
});
