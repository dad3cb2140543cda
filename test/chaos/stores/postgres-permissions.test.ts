import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createApiKeys } from '../../../src/api-keys/api-keys.ts';
import { type Client, createClient } from '../../support/http/client.ts';
import { startWeb, type TestProcess } from '../../support/processes/processes.ts';
import { useDatabase, useRedis } from '../../support/resources.ts';
import { useRole } from '../../support/services/role.ts';
import { createUrl } from '../../support/urls/urls.ts';
import { waitUntil } from '../../support/wait-until.ts';

const database = useDatabase();
const redis = useRedis();
const role = useRole(database);
let web: TestProcess & { baseUrl: string };
let client: Client;

beforeAll(async () => {
  const { key } = await createApiKeys(database.db()).create('test');
  web = await startWeb({
    DATABASE_URL: role.url(),
    REDIS_URL: redis.url(),
    REDIS_PREFIX: redis.prefix,
  });
  client = createClient(web.baseUrl, key);
});
afterAll(async () => {
  await web.stop();
});

interface Health {
  status: string;
  conditions: { code: string; reason: string }[];
  works: Record<string, unknown>;
}
/** The health of the service without the conditions of a missing worker. */
const readHealth = async (): Promise<Health> => {
  const health = (await client.get('/health')).body as unknown as Health;
  return {
    ...health,
    conditions: health.conditions.filter(({ code }) => code !== 'workers_missing' && code !== 'jobs_overdue'),
  };
};
const codesOf = ({ conditions }: Health) => conditions.map(({ code }) => code);
const waitForCondition = async (code: string) =>
  await waitUntil(`health reports ${code}`, async () => codesOf(await readHealth()).includes(code), 20_000);
const waitForHealthy = async () =>
  await waitUntil(
    'the service is healthy',
    async () => {
      const health = await readHealth();
      return health.conditions.length === 0 && health.works['api'] === 'all';
    },
    20_000,
  );

let unknown = 0;
/** Visits a short code that no cache holds. */
const lookUpUnknown = async () => await client.get(`/unknown-${(unknown += 1)}`);
const post = async () => await client.post('/api/v1/urls', { original_url: 'https://example.com/' });

const isUnavailable = ({ status, headers }: Awaited<ReturnType<typeof post>>) =>
  status === 503 && headers.has('retry-after');

describe.each([
  ['a role without login', 'alter role %role nologin', 'alter role %role login', '28000'],
  [
    'a role without connections',
    'alter role %role connection limit 0',
    'alter role %role connection limit -1',
    '53300',
  ],
  [
    'a database without the connect privilege',
    'revoke connect on database %database from public',
    'grant connect on database %database to public',
    '42501',
  ],
])('%s', (_what, breakSql, repairSql, sqlState) => {
  test('causes 503 until repaired, while cached redirects work and health gives the reason', async () => {
    await waitForHealthy();
    const code = await createUrl(client);
    expect((await client.get(`/${code}`)).status).toBe(301);
    await role.run(breakSql);
    await role.disconnect();
    await waitUntil('requests are answered with 503', async () => isUnavailable(await lookUpUnknown()));
    for (let i = 0; i < 5; i++) {
      expect((await client.get(`/${code}`)).status).toBe(301);
      expect(await lookUpUnknown()).toSatisfy(isUnavailable);
      expect(await post()).toSatisfy(isUnavailable);
    }
    await waitForCondition('postgres_unavailable');
    const health = await readHealth();
    const { reason } = health.conditions.find((one) => one.code === 'postgres_unavailable')!;
    expect(health).toMatchObject({ status: 'degraded', works: { api: 'none' } });
    expect(reason).toContain(sqlState);
    expect(reason).not.toContain(role.name);
    await role.run(repairSql);
    await waitForHealthy();
    expect((await post()).status).toBe(201);
  });
});

describe('a role without rights on one table', () => {
  test('causes 503 only where that table is needed, and health lists the missing rights', async () => {
    await waitForHealthy();
    const code = await createUrl(client);
    expect((await client.get(`/${code}`)).status).toBe(301);
    await role.run('revoke all on urls from %role');
    for (let i = 0; i < 4; i++) {
      expect(await lookUpUnknown()).toSatisfy(isUnavailable);
      expect(await post()).toSatisfy(isUnavailable);
      expect((await client.get(`/${code}`)).status).toBe(301);
      expect((await client.get('/api/v1/api-keys')).status).toBe(200);
      expect((await client.get('/api/v1/blocked-hosts')).status).toBe(200);
    }
    await waitForCondition('postgres_rights_missing');
    const health = await readHealth();
    expect(health.status).toBe('degraded');
    expect(health.conditions[0]!.reason).toMatch(/delete on urls.*insert on urls/);
    await role.run('grant all on urls to %role');
    await waitForHealthy();
    expect((await post()).status).toBe(201);
  });
});

describe('a missing table', () => {
  test('causes 503, and health names the table', async () => {
    await waitForHealthy();
    await role.run('alter table urls rename to urls_renamed');
    expect(await lookUpUnknown()).toSatisfy(isUnavailable);
    await waitForCondition('postgres_tables_missing');
    expect((await readHealth()).conditions[0]!.reason).toContain('urls');
    await role.run('alter table urls_renamed rename to urls');
    await waitForHealthy();
  });
});

describe('a read-only PostgreSQL', () => {
  test('serves reads and rejects changes with 503 and a read-only message', async () => {
    await waitForHealthy();
    const code = await createUrl(client);
    await role.run('alter role %role set default_transaction_read_only = on');
    await role.disconnect();
    await waitForCondition('postgres_read_only');
    expect(await readHealth()).toMatchObject({
      status: 'degraded',
      works: { redirects: 'all', api: 'read_only' },
    });
    for (let i = 0; i < 5; i++) {
      const answer = await post();
      expect(answer).toSatisfy(isUnavailable);
      expect(answer.body['detail']).toContain('read-only');
      const change = await client.patch(`/api/v1/urls/${code}`, { title: 'changed' });
      expect(change).toSatisfy(isUnavailable);
      expect(change.body['detail']).toContain('read-only');
      expect((await lookUpUnknown()).status).toBe(404);
      expect((await client.get(`/${code}`)).status).toBe(301);
      expect((await client.get(`/api/v1/urls/${code}`)).status).toBe(200);
      expect((await client.get('/api/v1/urls')).status).toBe(200);
      expect((await client.get('/api/v1/analytics')).status).toBe(200);
    }
    await role.run('alter role %role reset default_transaction_read_only');
    await role.disconnect();
    await waitForHealthy();
    expect((await post()).status).toBe(201);
    await waitUntil(
      'the clicks are counted',
      async () => {
        const answer = await client.get(`/api/v1/urls/${code}`);
        return answer.body['click_count'] === 5;
      },
      20_000,
    );
  });
});
