import { once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createApiKeys } from '../../../../src/api-keys/api-keys.ts';
import { createClient } from '../../../support/http/client.ts';
import { startWeb, startWorker, type TestProcess } from '../../../support/processes/processes.ts';
import { type Proxy, startProxy } from '../../../support/proxy/proxy.ts';
import { storeSettings, useDatabase, useRedis } from '../../../support/resources.ts';
import { waitUntil } from '../../../support/wait-until.ts';

interface State {
  status: string;
  troubles: { id: string; cause: string }[];
  conditions: { code: string }[];
  clicks: { oldest_ms: number; dropped: number };
}

const database = useDatabase();
const redis = useRedis();
let proxy: Proxy;
let web: TestProcess & { baseUrl: string };
let worker: TestProcess;
let key: string;

beforeAll(async () => {
  ({ key } = await createApiKeys(database.db()).create('test'));
  const url = new URL(redis.url());
  proxy = await startProxy(Number(url.port));
  url.port = String(proxy.port);
  const settings = {
    ...storeSettings(database, redis),
    WEB_CONCURRENCY: '2',
    CLICK_BUFFER_MAX_ENTRIES: '1000',
  };
  web = await startWeb({ ...settings, REDIS_URL: url.href });
  worker = await startWorker(settings);
});
afterAll(async () => {
  await worker.stop();
  await web.stop();
  await proxy.close();
});

/** Sends a request. Without an agent it gets a connection of its own, which one of the two processes accepts: they take turns. */
async function send(path: string, options: { agent?: Agent; headers?: Record<string, string> } = {}) {
  const { agent = false, headers } = options;
  const request = get(`${web.baseUrl}${path}`, { agent, headers: { 'x-api-key': key, ...headers } });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return { status: response.statusCode!, body: await text(response) };
}

const readAt = async (path: string, agent?: Agent) =>
  JSON.parse((await send(path, agent && { agent })).body) as State;

/** Reads a path often enough that both processes answer. */
const readFromBoth = async (path: string) =>
  await Promise.all(Array.from({ length: 6 }, async () => await readAt(path)));

const isHealthy = ({ status }: State) => status === 'healthy';
const untilHealthy = async () =>
  await waitUntil('both processes are healthy', async () => (await readFromBoth('/health')).every(isHealthy));

const idsOf = ({ troubles }: State) => troubles.map(({ id }) => id);

/** Creates short URLs; resolves to their short codes. */
async function createUrls(count: number): Promise<string[]> {
  const urls = Array.from({ length: count }, (_, i) => ({ original_url: `https://example.com/${i}` }));
  const { body } = await createClient(web.baseUrl, key).post('/api/v1/urls/bulk', { urls });
  return (body['results'] as { url: { short_code: string } }[]).map(({ url }) => url.short_code);
}

/** Runs `use` while Redis is away and PostgreSQL takes no clicks. */
async function withoutCounting(use: () => Promise<void>): Promise<void> {
  const ledger = await database.db().transaction();
  await ledger.raw('lock table click_producers in exclusive mode');
  await proxy.refuse();
  proxy.cut();
  try {
    await use();
  } finally {
    await ledger.rollback();
    await proxy.accept();
  }
}

test('the age of the oldest click is that of every process, also without Redis', async () => {
  const [code] = (await createUrls(1)) as [string];
  await withoutCounting(async () => {
    await waitUntil('Redis is away', async () => idsOf(await readAt('/api/v1/operations')).length > 0);
    expect((await send(`/${code}`)).status).toBe(301);
    await waitUntil('every answer has the age of the click in one process', async () => {
      const states = await readFromBoth('/api/v1/operations');
      return states.every(({ clicks }) => clicks.oldest_ms > 1_500);
    });
  });
  await waitUntil('the click is counted', async () => {
    const { body } = await createClient(web.baseUrl, key).get(`/api/v1/urls/${code}/stats`);
    return body['clicks'] === 1;
  });
});

test('clicks that were dropped are a trouble of a service that is not healthy, unlike in /health', async () => {
  const codes = await createUrls(1_000);
  const more = await createUrls(1_000);
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  await withoutCounting(async () => {
    const all = [...codes, ...more, ...codes, ...more];
    await Promise.all(all.map(async (code) => await send(`/${code}`, { agent })));
  });
  agent.destroy();
  await untilHealthy();
  const state = await waitUntil('no other trouble is left', async () => {
    const answer = await readAt('/api/v1/operations');
    return answer.troubles.length === 1 && answer;
  });
  expect(state.clicks.dropped).toBeGreaterThan(0);
  expect([state.status, idsOf(state)]).toEqual(['degraded', ['clicks_dropped']]);
}, 120_000);

test('a condition of one process is a trouble that every process reports', async () => {
  await untilHealthy();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  await waitUntil('one process has the condition', async () => {
    await send('/health', { agent, headers: { 'x-forwarded-for': '203.0.113.7' } });
    return (await readAt('/health', agent)).conditions.length > 0;
  });
  await waitUntil('the other process is healthy', async () =>
    (await readFromBoth('/health')).some(isHealthy),
  );
  const states = await waitUntil('every process reports it', async () => {
    const answers = await readFromBoth('/api/v1/operations');
    return answers.every((state) => idsOf(state).includes('proxy_untrusted')) && answers;
  });
  for (const { status, troubles } of states) {
    expect([status, troubles[0]!.id]).toEqual(['degraded', 'proxy_untrusted']);
    expect(troubles[0]!.cause).toContain('Reported by 1 of 2 web processes.');
  }
  agent.destroy();
});
