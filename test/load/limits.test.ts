import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { createApiKeys } from '../../src/api-keys/api-keys.ts';
import { hashPassword } from '../../src/urls/access/password.ts';
import { submit, visit } from '../support/clicks/visitor.ts';
import { type Client, createClient } from '../support/http/client.ts';
import { startWeb, type TestProcess } from '../support/processes/processes.ts';
import { type Proxy, startProxy } from '../support/proxy/proxy.ts';
import { track, useDatabase, useRedis } from '../support/resources.ts';
import { type RestrictedUrl, insertRestrictedUrl } from '../support/urls/restricted-urls.ts';
import { waitUntil } from '../support/wait-until.ts';

const database = useDatabase();
const redis = useRedis();
/** The proxy between the web processes and PostgreSQL. */
let proxy: Proxy;
let closed: () => void;
let webs: (TestProcess & { baseUrl: string })[] = [];
let api: Client;

beforeAll(async () => {
  const url = new URL(database.url());
  proxy = await startProxy(Number(url.port));
  closed = track('proxy');
  url.port = String(proxy.port);
  const settings = {
    DATABASE_URL: url.href,
    REDIS_URL: redis.url(),
    REDIS_PREFIX: redis.prefix,
    TRUSTED_PROXY_HOPS: '1',
  };
  webs = await Promise.all([startWeb(settings), startWeb(settings)]);
  const { key } = await createApiKeys(database.db()).create('test');
  api = createClient(webs[0]!.baseUrl, key);
});
afterEach(async () => {
  await proxy.accept();
});
afterAll(async () => {
  await Promise.all(webs.map((web) => web.stop()));
  await proxy.close();
  closed();
});

const insert = async (url: RestrictedUrl) => await insertRestrictedUrl(database.db(), url);
/** The address of a short URL at one of the two web processes. */
const at = (place: number, code: string) => `${webs[place % webs.length]!.baseUrl}/${code}`;

/** Sends `times` requests in sequence from each of 100 concurrent clients; resolves to the count of each status. */
async function sendConcurrently(times: number, send: (client: number) => Promise<{ status: number }>) {
  const statuses: Record<number, number> = {};
  const client = async (number: number) => {
    for (let i = 0; i < times; i++) {
      const { status } = await send(number);
      statuses[status] = (statuses[status] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: 100 }, (_, number) => client(number)));
  return statuses;
}

async function untilCounted(code: string, clicks: number): Promise<void> {
  await waitUntil(`${code} has ${clicks} clicks`, async () => {
    const row = await database
      .db()('urls')
      .join('url_stats', 'id', 'url_id')
      .where({ short_code: code })
      .first('click_count');
    return row?.click_count === clicks;
  });
}

test('a click limit of 500 redirects and counts 500 of 1,000 visits through two processes', async () => {
  const code = await insert({ maxClicks: 500 });
  expect(await sendConcurrently(10, async (client) => await visit(at(client, code)))).toEqual({
    301: 500,
    410: 500,
  });
  await untilCounted(code, 500);
});

test('one of 100 concurrent clients of two processes opens a one-time URL and is counted', async () => {
  const codes = await Promise.all(Array.from({ length: 5 }, () => insert({ isOneTime: true })));
  for (const code of codes) {
    expect(await sendConcurrently(1, async (client) => await submit(at(client, code)))).toEqual({
      303: 1,
      410: 99,
    });
  }
  for (const code of codes) await untilCounted(code, 1);
});

test('a one-time URL with a password opens exactly once for 101 clients, 100 of them concurrent', async () => {
  const code = await insert({ isOneTime: true, password: 'secret' });
  const open = async (client: number) =>
    await submit(at(client, code), { password: 'secret' }, { 'x-forwarded-for': `192.0.2.${client}` });
  const statuses = await sendConcurrently(1, open);
  const opened = statuses[303] ?? 0;
  expect(opened).toBeLessThanOrEqual(1);
  const again = await open(200);
  expect(again.status).toBe(opened === 1 ? 410 : 303);
});

test('a changed click limit applies in the other process as soon as the API has answered', async () => {
  const code = await insert({ maxClicks: 2 });
  const change = async (max: number) =>
    expect((await api.request('PATCH', `/api/v1/urls/${code}`, { max_clicks: max })).status).toBe(200);
  const look = async () => (await visit(at(1, code))).status;
  expect(await look()).toBe(301);
  expect(await look()).toBe(301);
  expect(await look()).toBe(410);
  await change(4);
  expect(await look()).toBe(301);
  await change(3);
  expect(await look()).toBe(410);
  await change(5);
  expect(await look()).toBe(301);
  expect(await look()).toBe(301);
  expect(await look()).toBe(410);
});

test('a click limit that is raised during 100 concurrent visits is used up to the last click', async () => {
  const code = await insert({ maxClicks: 100 });
  const [statuses] = await Promise.all([
    sendConcurrently(10, async (client) => await visit(at(client, code))),
    api.request('PATCH', `/api/v1/urls/${code}`, { max_clicks: 300 }),
  ]);
  const late = await sendConcurrently(3, async (client) => await visit(at(client, code)));
  expect((statuses[301] ?? 0) + (late[301] ?? 0)).toBe(300);
});

test('limited short URLs answer 503 while PostgreSQL is down and never exceed their limit', async () => {
  const [limited, plain] = [await insert({ maxClicks: 2 }), await insert({})];
  const look = async (code: string) => (await visit(at(0, code))).status;
  expect(await look(limited)).toBe(301);
  expect(await look(plain)).toBe(301);
  await proxy.refuse();
  proxy.cut();
  const away = await visit(at(0, limited));
  expect(away.status).toBe(503);
  expect(away.headers.get('retry-after')).toBe('2');
  expect(away.text).toContain('Temporarily unavailable');
  expect(await look(plain)).toBe(301);
  await proxy.accept();
  await waitUntil('the limited short URL redirects again', async () => (await look(limited)) === 301);
  expect(await look(limited)).toBe(410);
});

test('a click whose confirmation from PostgreSQL is lost uses up the limit only once', async () => {
  const code = await insert({ maxClicks: 2 });
  await visit(at(0, `${code}+`));
  const { sprung } = proxy.dropReplyTo('insert into url_usage');
  expect((await visit(at(0, code))).status).toBe(503);
  await sprung;
  const statuses = await sendConcurrently(1, async (client) => await visit(at(client, code)));
  expect(statuses[301]).toBe(1);
});

test('a flood of passwords gets 503 beyond the capacity and does not block other requests', async () => {
  const [code, plain] = [await insert({ password: 'secret' }), await insert({})];
  await database
    .db()('urls')
    .where({ short_code: code })
    .update({ password_hash: await hashPassword('secret') });
  const flood = sendConcurrently(1, async (client) => {
    const headers = { 'x-forwarded-for': `198.51.100.${client}` };
    return await submit(at(0, code), { password: 'wrong' }, headers);
  });
  const over = new AbortController();
  void flood.finally(() => over.abort());
  let slowestMs = 0;
  while (!over.signal.aborted) {
    const start = performance.now();
    expect((await visit(at(0, plain))).status).toBe(301);
    expect((await visit(`${webs[0]!.baseUrl}/health`)).status).toBe(200);
    slowestMs = Math.max(slowestMs, performance.now() - start);
  }
  const statuses = await flood;
  expect(Object.keys(statuses).filter((status) => !['403', '429', '503'].includes(status))).toEqual([]);
  expect(statuses[403]).toBeGreaterThanOrEqual(10);
  expect(statuses[503]).toBeGreaterThan(0);
  expect(slowestMs).toBeLessThan(5_000);
});
