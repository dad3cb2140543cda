import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createApiKeys } from '../../src/api-keys/api-keys.ts';
import { type Client, createClient } from '../support/http/client.ts';
import { startWeb, type TestProcess } from '../support/processes/processes.ts';
import { useDatabase, useRedis } from '../support/resources.ts';
import { type Proxy, startProxy } from '../support/services/proxy.ts';
import { createUrl } from '../support/urls/urls.ts';
import { waitUntil } from '../support/wait-until.ts';

const database = useDatabase();
const redis = useRedis();

/** Where short URLs are changed. */
let here: Client;
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
  here = createClient(started[0]!.baseUrl, key);
  others = started.slice(1).map((web) => createClient(web.baseUrl));
});

afterAll(async () => {
  await Promise.all(webs.map((web) => web.stop()));
  await proxy.close();
});

const statusAt = async (web: Client, code: string) => (await web.get(`/${code}`)).status;

/** Resolves when every other process answers a code by heart: what the shared cache says is not what they say. */
async function learnByHeart(code: string) {
  const key = `${redis.prefix}:url:${code}`;
  await waitUntil('the other processes know it by heart', async () => {
    for (const web of others) expect(await statusAt(web, code)).toBe(301);
    const value = (await redis.redis().get(key)) ?? '';
    await redis.redis().set(key, value.replace('/page', '/changed'), 'KEEPTTL');
    const answers = await Promise.all(others.map(async (web) => await web.get(`/${code}`)));
    await redis.redis().set(key, value, 'KEEPTTL');
    return answers.every(({ headers }) => headers.get('location')?.endsWith('/page'));
  });
}

/** How long after `changedAt` some process still does not answer with `status`, in ms: until it was asked in vain. */
async function timeChange(code: string, status: number, changedAt: number): Promise<number> {
  const taken = [here, ...others].map(async (web) => {
    for (;;) {
      const askedAt = performance.now();
      if ((await statusAt(web, code)) === status) return Math.max(0, askedAt - changedAt);
    }
  });
  return Math.max(...(await Promise.all(taken)));
}

const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

async function timeDeletions(times: number, before: () => unknown = () => {}): Promise<number[]> {
  const taken: number[] = [];
  for (let i = 0; i < times; i++) {
    await allHear();
    const code = await createUrl(here);
    await learnByHeart(code);
    await before();
    expect((await here.delete(`/api/v1/urls/${code}`)).status).toBe(204);
    taken.push(await timeChange(code, 404, performance.now()));
  }
  return taken;
}

/** Resolves when every process hears announcements: what they know by heart lives longer than where they are missed. */
async function allHear() {
  await waitUntil('every process hears announcements', async () => {
    const [, count] = (await redis.redis().pubsub('NUMSUB', `${redis.prefix}:urls:changed`)) as [
      string,
      number,
    ];
    return count === 4;
  });
}

describe('a short URL that three other processes know by heart', () => {
  test('is redirected by none of them any more 50 ms after it was deleted', async () => {
    const taken = await timeDeletions(20);
    expect(median(taken)).toBeLessThan(50);
  });

  test('is redirected by none any more 2 s after it was deleted, while they cannot reach Redis', async () => {
    const taken = await timeDeletions(1, async () => {
      await proxy.refuse();
      proxy.cut();
    });
    await proxy.accept();
    expect(Math.max(...taken)).toBeLessThan(2_000);
  });

  test('is redirected by none any more 2 s after it was deleted, although their connections are half-open', async () => {
    const taken = await timeDeletions(1, () => proxy.goHalfOpen());
    // Redis does not know that those connections are given up.
    proxy.cut();
    expect(Math.max(...taken)).toBeLessThan(2_000);
  });

  test('is redirected by none any more 2 s after it was deleted, although nothing but announcements is lost', async () => {
    let endMute = () => {};
    const taken = await timeDeletions(1, () => {
      endMute = proxy.mute('linkmill-subscriber');
    });
    endMute();
    proxy.cut();
    expect(Math.max(...taken)).toBeLessThan(2_000);
  });

  test('is redirected by none any more 2 s after it was deleted, where their connections were cut just before', async () => {
    const taken = await timeDeletions(5, () => proxy.cut());
    expect(Math.max(...taken)).toBeLessThan(2_000);
  });
});

test('a custom code that three other processes remember as unknown works there 50 ms after it was created', async () => {
  await allHear();
  const taken: number[] = [];
  for (let i = 0; i < 20; i++) {
    const code = `custom-${i}`;
    for (const web of others)
      expect([await statusAt(web, code), await statusAt(web, code)]).toEqual([404, 404]);
    await createUrl(here, { custom_code: code });
    taken.push(await timeChange(code, 301, performance.now()));
  }
  expect(median(taken)).toBeLessThan(50);
});
