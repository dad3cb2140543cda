import { afterAll, beforeAll, expect, test } from 'vitest';
import { watchRedisMemory } from '../../../src/storage/redis/memory.ts';
import { closeRedis, openRedis } from '../../../src/storage/redis/redis.ts';
import { createRedisUrlCache } from '../../../src/urls/cache/redis-cache.ts';
import { defaultSettings, type ShortUrl } from '../../../src/urls/url.ts';
import { silentLog } from '../../support/resources.ts';
import { startTestRedis, type TestRedis } from '../../support/services/servers.ts';
import { waitUntil } from '../../support/wait-until.ts';

let server: TestRedis;
let redis: ReturnType<typeof openRedis>;

beforeAll(async () => {
  server = await startTestRedis({ args: ['--maxmemory', '64mb'] });
  redis = openRedis('jobs', server.url, silentLog);
});

afterAll(async () => {
  await closeRedis(redis);
  await server.stop();
});

const shortUrl = (shortCode: string, version: number): ShortUrl => ({
  id: 1,
  shortCode,
  originalUrl: 'https://example.com/',
  createdAt: new Date(0),
  updatedAt: new Date(0),
  ...defaultSettings,
  createdBy: null,
  isActive: true,
  version,
});

/** A cache that knows whether Redis has free memory. */
async function openCache(hasRoom: boolean) {
  const memory = watchRedisMemory(redis, silentLog);
  await waitUntil(`Redis has ${hasRoom ? 'free' : 'no free'} memory`, () => memory.hasRoom() === hasRoom);
  memory.stop();
  return createRedisUrlCache(redis, { prefix: 'test', ttlSeconds: 60, hasRoom: memory.hasRoom });
}

test('above 75 % of its memory Redis gets no new cache entries, but every tombstone', async () => {
  const cache = await openCache(true);
  expect(await cache.put(shortUrl('before', 1))).toBe(true);

  await redis.setrange('ballast', 52_000_000, 'x');
  const fullCache = await openCache(false);
  expect(await fullCache.put(shortUrl('after1', 2))).toBe(false);
  expect(await fullCache.putMany([shortUrl('after2', 3)])).toBe(0);
  await fullCache.putUnknown('after3');
  await fullCache.create(shortUrl('after4', 4));
  expect(await redis.keys('test:url:after*')).toEqual([]);
  await fullCache.putTombstones([{ shortCode: 'before', version: 4 }], 'not_found');
  expect(await fullCache.find('before')).toEqual({ negative: 'not_found', version: 4 });
});
