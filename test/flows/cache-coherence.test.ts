import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createApiKeys } from '../../src/api-keys/api-keys.ts';
import { type Client, createClient } from '../support/client.ts';
import { startWeb, type TestProcess } from '../support/processes.ts';
import { type Proxy, startProxy } from '../support/proxy.ts';
import { useDatabase, useRedis } from '../support/resources.ts';
import { createUrl } from '../support/urls.ts';
import { waitUntil } from '../support/wait-until.ts';

const database = useDatabase();
const redis = useRedis();

/** Where short URLs are changed. */
let here: Client;
/** Another process, which reaches Redis through a proxy of its own. */
let there: Client;
let proxy: Proxy;
let webs: TestProcess[];

beforeAll(async () => {
  const { key } = await createApiKeys(database.db()).create('test');
  proxy = await startProxy(Number(new URL(redis.url()).port));
  const settings = { DATABASE_URL: database.url(), REDIS_PREFIX: redis.prefix };
  const [one, other] = await Promise.all([
    startWeb({ ...settings, REDIS_URL: redis.url() }),
    startWeb({ ...settings, REDIS_URL: `redis://127.0.0.1:${proxy.port}` }),
  ]);
  webs = [one, other];
  here = createClient(one.baseUrl, key);
  there = createClient(other.baseUrl);
});

afterAll(async () => {
  await Promise.all(webs.map((web) => web.stop()));
  await proxy.close();
});

const statusThere = async (code: string) => (await there.get(`/${code}`)).status;

/** Resolves when the other process answers a code by heart: what the shared cache says is not what it says. */
async function learnByHeart(code: string) {
  const key = `${redis.prefix}:url:${code}`;
  await waitUntil('the other process knows it by heart', async () => {
    expect(await statusThere(code)).toBe(301);
    const value = (await redis.redis().get(key)) ?? '';
    await redis.redis().set(key, value.replace('/page', '/changed'), 'KEEPTTL');
    const { headers } = await there.get(`/${code}`);
    await redis.redis().set(key, value, 'KEEPTTL');
    return headers.get('location')?.endsWith('/page');
  });
}

/** How long after the answer to a deletion the other process still redirects, in ms: until it was asked in vain. */
async function timeDeletion(code: string): Promise<number> {
  expect((await here.delete(`/api/v1/urls/${code}`)).status).toBe(204);
  const deletedAt = performance.now();
  for (;;) {
    const askedAt = performance.now();
    const status = await statusThere(code);
    if (status === 404) return Math.max(0, askedAt - deletedAt);
    expect(status).toBe(301);
  }
}

const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

async function takeTimes(times: number, before: () => unknown = () => {}): Promise<number[]> {
  const taken: number[] = [];
  for (let i = 0; i < times; i++) {
    const code = await createUrl(here);
    await learnByHeart(code);
    await before();
    taken.push(await timeDeletion(code));
  }
  return taken;
}

/** Resolves when the other process hears announcements: what it knows by heart lives longer than where they are missed. */
async function hearsAgain() {
  await waitUntil('the other process hears announcements', async () => {
    const [, count] = (await redis.redis().pubsub('NUMSUB', `${redis.prefix}:urls:changed`)) as [
      string,
      number,
    ];
    return count === 2;
  });
}

describe('a short URL that another process knows by heart', () => {
  test('is not redirected there any more 50 ms after it was deleted', async () => {
    await hearsAgain();
    const taken = await takeTimes(20);
    expect(median(taken)).toBeLessThan(50);
  });

  test('is not redirected there any more 2 s after it was deleted, while that process cannot reach Redis', async () => {
    await hearsAgain();
    const taken = await takeTimes(1, async () => {
      await proxy.refuse();
      proxy.cut();
    });
    await proxy.accept();
    expect(Math.max(...taken)).toBeLessThan(2_000);
  });

  test('is not redirected there any more 2 s after it was deleted, although its connections are half-open', async () => {
    await hearsAgain();
    const taken = await takeTimes(1, () => proxy.goHalfOpen());
    expect(Math.max(...taken)).toBeLessThan(2_000);
  });

  test('is not redirected there any more 2 s after it was deleted, where its connections were cut just before', async () => {
    const taken = await takeTimes(5, async () => {
      await hearsAgain();
      proxy.cut();
    });
    expect(Math.max(...taken)).toBeLessThan(2_000);
  });
});

test('a custom code that another process remembers as unknown works there 50 ms after it was created', async () => {
  await hearsAgain();
  const taken: number[] = [];
  for (let i = 0; i < 10; i++) {
    const code = `custom-${i}`;
    expect([await statusThere(code), await statusThere(code)]).toEqual([404, 404]);
    await createUrl(here, { custom_code: code });
    const createdAt = performance.now();
    let askedAt = createdAt;
    while ((await statusThere(code)) === 404) askedAt = performance.now();
    taken.push(askedAt - createdAt);
  }
  expect(median(taken)).toBeLessThan(50);
});
