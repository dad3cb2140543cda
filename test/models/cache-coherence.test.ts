import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createApiKeys } from '../../src/api-keys/api-keys.ts';
import { type Client, createClient } from '../support/http/client.ts';
import { startWeb, type TestProcess } from '../support/processes/processes.ts';
import { type Proxy, startProxy } from '../support/proxy/proxy.ts';
import { useDatabase, useRedis } from '../support/resources.ts';
import { createUrl } from '../support/urls/urls.ts';
import { waitUntil } from '../support/wait-until.ts';

const database = useDatabase();
const redis = useRedis();

/** The process that changes short URLs. */
let web: Client;
/** Three more web processes, which reach Redis through a proxy. */
let others: Client[];
let proxy: Proxy;
let webs: TestProcess[];

beforeAll(async () => {
  const { key } = await createApiKeys(database.db()).create('test');
  proxy = await startProxy(Number(new URL(redis.url()).port));
  const settings = { DATABASE_URL: database.url(), REDIS_PREFIX: redis.prefix };
  const far = `redis://127.0.0.1:${proxy.port}`;
  const started = await Promise.all(
    [redis.url(), far, far, far].map(async (url) => await startWeb({ ...settings, REDIS_URL: url })),
  );
  webs = started;
  web = createClient(started[0]!.baseUrl, key);
  others = started.slice(1).map((process) => createClient(process.baseUrl));
});

afterAll(async () => {
  await Promise.all(webs.map((process) => process.stop()));
  await proxy.close();
});

const statusAt = async (client: Client, code: string) => (await client.get(`/${code}`)).status;

/** Resolves when every other process answers a code from its memory cache: the value in Redis is altered meanwhile. */
async function cacheEverywhere(code: string) {
  const key = `${redis.prefix}:url:${code}`;
  await waitUntil('the other processes have the short URL in memory', async () => {
    for (const other of others) expect(await statusAt(other, code)).toBe(301);
    const value = (await redis.redis().get(key)) ?? '';
    await redis.redis().set(key, value.replace('/page', '/changed'), 'KEEPTTL');
    const answers = await Promise.all(others.map(async (other) => await other.get(`/${code}`)));
    await redis.redis().set(key, value, 'KEEPTTL');
    return answers.every(({ headers }) => headers.get('location')?.endsWith('/page'));
  });
}

/** Returns how long after `changedAt` some process still answers another status, in ms. */
async function timeChange(code: string, status: number, changedAt: number): Promise<number> {
  const taken = [web, ...others].map(async (client) => {
    for (;;) {
      const requestedAt = performance.now();
      if ((await statusAt(client, code)) === status) return Math.max(0, requestedAt - changedAt);
    }
  });
  return Math.max(...(await Promise.all(taken)));
}

const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

async function timeDeletions(times: number, before: () => unknown = () => {}): Promise<number[]> {
  const taken: number[] = [];
  for (let i = 0; i < times; i++) {
    await waitForSubscriptions();
    const code = await createUrl(web);
    await cacheEverywhere(code);
    await before();
    expect((await web.delete(`/api/v1/urls/${code}`)).status).toBe(204);
    taken.push(await timeChange(code, 404, performance.now()));
  }
  return taken;
}

/** Resolves when every process has subscribed, which extends the age limit of its memory cache. */
async function waitForSubscriptions() {
  await waitUntil('every process has subscribed', async () => {
    const [, count] = (await redis.redis().pubsub('NUMSUB', `${redis.prefix}:urls:changed`)) as [
      string,
      number,
    ];
    return count === 4;
  });
}

describe('a short URL in the memory caches of three other processes', () => {
  test('is not redirected 50 ms after its deletion (median)', async () => {
    const taken = await timeDeletions(20);
    expect(median(taken)).toBeLessThan(50);
  });

  test('is not redirected 2 s after its deletion while Redis is unreachable', async () => {
    const taken = await timeDeletions(1, async () => {
      await proxy.refuse();
      proxy.cut();
    });
    await proxy.accept();
    expect(Math.max(...taken)).toBeLessThan(2_000);
  });

  test('is not redirected 2 s after its deletion when connections are half-open', async () => {
    const taken = await timeDeletions(1, () => proxy.goHalfOpen());
    // Redis does not know that these connections were abandoned.
    proxy.cut();
    expect(Math.max(...taken)).toBeLessThan(2_000);
  });

  test('is not redirected 2 s after its deletion when only invalidations are lost', async () => {
    let endMute = () => {};
    const taken = await timeDeletions(1, () => {
      endMute = proxy.mute('linkmill-subscriber');
    });
    endMute();
    proxy.cut();
    expect(Math.max(...taken)).toBeLessThan(2_000);
  });

  test('is not redirected 2 s after its deletion when connections were just cut', async () => {
    const taken = await timeDeletions(5, () => proxy.cut());
    expect(Math.max(...taken)).toBeLessThan(2_000);
  });
});

test('a code that is cached as unknown redirects 50 ms after its creation (median)', async () => {
  await waitForSubscriptions();
  const taken: number[] = [];
  for (let i = 0; i < 20; i++) {
    const code = `custom-${i}`;
    for (const other of others) {
      expect(await statusAt(other, code)).toBe(404);
      expect(await statusAt(other, code)).toBe(404);
    }
    await createUrl(web, { custom_code: code });
    taken.push(await timeChange(code, 301, performance.now()));
  }
  expect(median(taken)).toBeLessThan(50);
});
