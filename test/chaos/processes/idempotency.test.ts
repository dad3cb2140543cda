import { afterEach, expect, inject, test } from 'vitest';
import { createApiKeys } from '../../../src/api-keys/api-keys.ts';
import { createClient } from '../../support/http/client.ts';
import { startWeb, type TestProcess } from '../../support/processes/processes.ts';
import { type Proxy, startProxy } from '../../support/proxy/proxy.ts';
import { uniquePrefix, useDatabase } from '../../support/resources.ts';
import { waitUntil } from '../../support/wait-until.ts';

const database = useDatabase();
const body = { original_url: 'https://example.com/crash', title: 'once' };
const ends: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  await Promise.all(ends.splice(0).map((end) => end()));
});

async function startOne(databaseUrl: string): Promise<TestProcess & { baseUrl: string }> {
  const web = await startWeb({
    DATABASE_URL: databaseUrl,
    REDIS_URL: inject('redisUrl'),
    REDIS_PREFIX: uniquePrefix(),
  });
  ends.push(async () => await web.stop());
  return web;
}

/** A web process that reaches PostgreSQL through a proxy. */
async function startBehindProxy(): Promise<{ web: TestProcess & { baseUrl: string }; proxy: Proxy }> {
  const url = new URL(database.url());
  const proxy = await startProxy(Number(url.port));
  ends.push(async () => await proxy.close());
  url.port = String(proxy.port);
  return { web: await startOne(url.href), proxy };
}

const countUrls = async () => Number((await database.db()('urls').count({ count: '*' }))[0]!['count']);

test.each([
  ['after', 'release', 1],
  ['before', 'discard', 0],
] as const)(
  'a create whose web process is killed %s the insert creates one short URL on retry',
  async (_, fate, rows) => {
    await database.db().raw('truncate urls, url_stats, idempotency_keys cascade');
    const { key } = await createApiKeys(database.db()).create('crash');
    const [{ web, proxy }, other] = await Promise.all([startBehindProxy(), startOne(database.url())]);
    const create = async (baseUrl: string) =>
      await createClient(baseUrl, key).post('/api/v1/urls', body, { 'idempotency-key': 'once' });

    const insert = proxy.hold('insert into idempotency_keys');
    const lost = create(web.baseUrl).catch(() => 'no answer');
    await insert.sprung;
    // From here on, the process reads no reply from PostgreSQL.
    web.signal('SIGSTOP');
    insert[fate]();
    await waitUntil('PostgreSQL has finished the statement', async () => (await countUrls()) === rows);
    web.signal('SIGKILL');
    expect(await lost).toBe('no answer');

    const first = await create(other.baseUrl);
    const second = await create(other.baseUrl);
    expect(first.status).toBe(201);
    expect(second.status).toBe(201);
    expect(first.headers.get('Idempotent-Replayed')).toBe(rows === 1 ? 'true' : null);
    expect(second.body).toEqual(first.body);
    expect(await database.db()('urls').pluck('short_code')).toEqual([first.body['short_code']]);
    expect((await createClient(other.baseUrl).get(`/${String(first.body['short_code'])}`)).status).toBe(301);
  },
);

test('a create that loses the reply of PostgreSQL answers 503, and a retry creates one short URL', async () => {
  await database.db().raw('truncate urls, url_stats, idempotency_keys cascade');
  const { key } = await createApiKeys(database.db()).create('lost');
  const { web, proxy } = await startBehindProxy();
  const create = async () =>
    await createClient(web.baseUrl, key).post('/api/v1/urls', body, { 'idempotency-key': 'lost' });
  const dropped = proxy.dropReplyTo('insert into idempotency_keys');
  expect((await create()).status).toBe(503);
  await dropped.sprung;
  const again = await waitUntil('the repeated create is answered with 201', async () => {
    const answer = await create();
    return answer.status === 201 && answer;
  });
  expect(again.headers.get('Idempotent-Replayed')).toBe('true');
  expect(await countUrls()).toBe(1);
});
