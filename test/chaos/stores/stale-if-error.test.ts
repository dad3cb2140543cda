import { afterAll, beforeAll, expect, test } from 'vitest';
import { createApiKeys } from '../../../src/api-keys/api-keys.ts';
import { type Client, createClient } from '../../support/http/client.ts';
import { startWeb, type TestProcess } from '../../support/processes/processes.ts';
import { type Proxy, startProxy } from '../../support/proxy/proxy.ts';
import { useDatabase, useRedis } from '../../support/resources.ts';
import { createUrl } from '../../support/urls/urls.ts';
import { waitUntil } from '../../support/wait-until.ts';

const database = useDatabase();
const redis = useRedis();
let proxies: Proxy[];
let web: TestProcess;
let client: Client;

/** Starts a proxy to a server; resolves to the proxy and its URL. */
async function startProxyTo(address: string) {
  const url = new URL(address);
  const proxy = await startProxy(Number(url.port));
  url.port = String(proxy.port);
  return { proxy, url: url.href };
}

beforeAll(async () => {
  const { key } = await createApiKeys(database.db()).create('test');
  const [postgres, cache] = await Promise.all([startProxyTo(database.url()), startProxyTo(redis.url())]);
  proxies = [postgres.proxy, cache.proxy];
  const started = await startWeb({
    DATABASE_URL: postgres.url,
    REDIS_URL: cache.url,
    REDIS_PREFIX: redis.prefix,
  });
  web = started;
  client = createClient(started.baseUrl, key);
});

afterAll(async () => {
  await web.stop();
  await Promise.all(proxies.map((proxy) => proxy.close()));
});

test('a cached short URL redirects and counts while both stores are down; other codes get 503', async () => {
  const code = await createUrl(client);
  expect((await client.get(`/${code}`)).status).toBe(301);
  for (const proxy of proxies) {
    await proxy.refuse();
    proxy.cut();
  }
  // Without its invalidation subscriber, the process treats every cached entry as stale.
  for (let i = 0; i < 20; i++) {
    const { status, headers } = await client.get(`/${code}`);
    expect(status).toBe(301);
    expect(headers.get('location')).toBe('https://example.com/page');
  }
  const unknown = await client.get('/unknown-code');
  expect(unknown.status).toBe(503);
  expect(unknown.headers.get('retry-after')).not.toBeNull();
  for (const proxy of proxies) await proxy.accept();
  await waitUntil('every click is counted', async () => {
    const answer = await client.get(`/api/v1/urls/${code}`);
    return answer.body['click_count'] === 21;
  });
});
