import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createApiKeys } from '../../src/api-keys/api-keys.ts';
import { closeRedis, openRedis } from '../../src/storage/redis/redis.ts';
import { type Client, createClient } from '../support/http/client.ts';
import { startWeb } from '../support/processes/processes.ts';
import { silentLog, useDatabase } from '../support/resources.ts';
import { startTestRedis, type TestRedis } from '../support/services/servers.ts';
import { waitUntil } from '../support/wait-until.ts';

const limit = 20;
const path = '/api/v1/api-keys/current';
const database = useDatabase();
let redis: TestRedis;
let webs: Awaited<ReturnType<typeof startWeb>>[];
let clients: Client[];

const newKey = async () => (await createApiKeys(database.db()).create('limits')).key;

beforeAll(async () => {
  redis = await startTestRedis();
  const settings = { DATABASE_URL: database.url(), REDIS_URL: redis.url, RATE_LIMIT_PER_KEY: String(limit) };
  // Two web processes on one port; each one limits at half of the limit without Redis.
  const sharing = { ...settings, WEB_CONCURRENCY: '2' };
  webs = await Promise.all([startWeb(settings), startWeb(settings), startWeb(sharing)]);
});
afterAll(async () => {
  await Promise.all(webs.map((web) => web.stop()));
  await redis.stop();
});
beforeEach(async () => {
  const key = await newKey();
  clients = webs.map(({ baseUrl }) => createClient(baseUrl, key));
});

async function sendRequests(client: Client, count: number): Promise<number[]> {
  const statuses: number[] = [];
  for (let i = 0; i < count; i++) statuses.push((await client.get(path)).status);
  return statuses;
}

const count = (statuses: number[], status: number) => statuses.filter((one) => one === status).length;

/** Resolves once both processes of the shared port limit at their half. */
async function waitForShares(): Promise<void> {
  const probe = createClient(webs[2]!.baseUrl, await newKey());
  let inARow = 0;
  await waitUntil('both processes apply their share of the limit', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, async () => await probe.get(path)));
    const allShares = answers.every(({ headers }) => headers.get('ratelimit-limit') === String(limit / 2));
    inARow = allShares ? inARow + 1 : 0;
    return inARow === 5;
  });
}

test('two web processes share the limit of an API key', async () => {
  expect(count(await sendRequests(clients[0]!, limit), 200)).toBe(limit);
  const observer = openRedis('jobs', redis.url, silentLog);
  await waitUntil('Redis has the count', async () => {
    const keys = await observer.keys('linkmill:limit:key:*');
    return (await observer.mget(keys)).includes(String(limit));
  });
  await closeRedis(observer);
  // The first request passes: a process does not know the shared count of a new client.
  expect((await clients[1]!.get(path)).status).toBe(200);
  await waitUntil(
    'the other process applies the shared count',
    async () => (await clients[1]!.get(path)).status === 429,
  );
});

test.each([
  ['dead', async () => await redis.kill(), async () => await redis.start()],
  ['hanging', async () => redis.hang(), async () => redis.resume()],
] as const)('each web process limits at its share while Redis is %s', async (_, injectFault, endFault) => {
  await injectFault();
  try {
    await waitForShares();
    const statuses = await sendRequests(clients[2]!, 3 * limit);
    expect(count(statuses, 429)).toBe(3 * limit - count(statuses, 200));
    expect(count(statuses, 200)).toBeGreaterThanOrEqual(limit / 2);
    expect(count(statuses, 200)).toBeLessThanOrEqual(limit);
  } finally {
    await endFault();
  }
  await waitUntil('the whole limit is available again', async () => {
    const { headers } = await createClient(webs[2]!.baseUrl, await newKey()).get(path);
    return headers.get('ratelimit-limit') === String(limit);
  });
});
