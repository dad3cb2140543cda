import { beforeEach, expect, test } from 'vitest';
import { createRedisUrlCache } from '../../../src/urls/cache/redis-cache.ts';
import { createLeaderStore } from '../../../src/urls/kept-lists/leaders.ts';
import { createUrlStore } from '../../../src/urls/store/url-store.ts';
import { warmCache } from '../../../workers/jobs/cache/warm-cache.ts';
import { createJobContext } from '../../support/job-context.ts';
import { useDatabase, useRedis } from '../../support/resources.ts';
import { insertUrls } from '../../support/urls/urls.ts';

const database = useDatabase();
const redis = useRedis();
const fast = { limit: 10_000, perSecond: 100_000 };

const createDeps = () => ({
  urlStore: createUrlStore(database.db()),
  leaders: createLeaderStore(database.db()),
  urlCache: createRedisUrlCache(redis.redis(), { prefix: redis.prefix, ttlSeconds: 3_600 }),
  now: async () => new Date(),
});
const keysInCache = async () => await redis.redis().keys(`${redis.prefix}:url:*`);
const codesInCache = async () => (await keysInCache()).map((key) => key.split(':').at(-1)!).sort();

beforeEach(async () => {
  await database.db()('urls').del();
  const keys = await keysInCache();
  if (keys.length > 0) await redis.redis().del(...keys);
});

test('the most clicked short URLs are cached with a TTL, up to the limit', async () => {
  await insertUrls(database.db(), { begin: 'url-', count: 20 });
  expect(await warmCache(createDeps(), { ...fast, limit: 5 }, createJobContext())).toEqual({
    urls: 5,
    stored: 5,
    interrupted: false,
  });
  expect(await codesInCache()).toEqual(['url-15', 'url-16', 'url-17', 'url-18', 'url-19']);
  for (const key of await keysInCache()) expect(await redis.redis().ttl(key)).toBeGreaterThan(3_500);
  expect(await createDeps().urlCache.find('url-19')).toMatchObject({
    url: { originalUrl: 'https://example.com/url-19', expiresAtMs: null },
  });
});

test('unclicked, expired, disabled and deleted short URLs are not cached', async () => {
  await insertUrls(database.db(), { begin: 'live-', count: 2 });
  await insertUrls(database.db(), { begin: 'over-', count: 2, expiresAt: new Date(Date.now() - 1_000) });
  await insertUrls(database.db(), { begin: 'disabled-', count: 2 });
  await insertUrls(database.db(), { begin: 'deleted-', count: 2 });
  await database.db()('urls').whereLike('short_code', 'disabled-%').update({ is_active: false });
  await createDeps().urlStore.delete('deleted-1', null);

  expect(await warmCache(createDeps(), fast, createJobContext())).toEqual({
    urls: 1,
    stored: 1,
    interrupted: false,
  });
  expect(await codesInCache()).toEqual(['live-1']);
});

test('without clicks there is nothing to warm up', async () => {
  await insertUrls(database.db(), { begin: 'url-', count: 1 });
  expect(await warmCache(createDeps(), fast, createJobContext())).toEqual({
    urls: 0,
    stored: 0,
    status: 'nothing to warm up',
  });
});

test('tombstones and newer entries are kept', async () => {
  await insertUrls(database.db(), { begin: 'url-', count: 4 });
  const deps = createDeps();
  // Simulates changes and a deletion after the warm-up has read the rows.
  const [first, second] = await deps.leaders.findMostClicked(new Date(), 10);
  await deps.urlCache.put({
    ...first!,
    version: first!.version + 100,
    originalUrl: 'https://example.com/newer',
  });
  await deps.urlCache.putTombstones(
    [{ shortCode: second!.shortCode, version: second!.version + 100 }],
    'not_found',
  );

  expect(await warmCache(deps, fast, createJobContext())).toEqual({ urls: 3, stored: 1, interrupted: false });
  expect(await deps.urlCache.find(first!.shortCode)).toMatchObject({
    url: { originalUrl: 'https://example.com/newer' },
  });
  expect(await deps.urlCache.find(second!.shortCode)).toMatchObject({ negative: 'not_found' });
});

test('a short URL that changes during the warm-up is cached with its change', async () => {
  await insertUrls(database.db(), { begin: 'url-', count: 1_001 });
  const deps = createDeps();
  const change = async () => {
    await database
      .db()('urls')
      .where({ short_code: 'url-1' })
      .update({ original_url: 'https://example.com/newer' });
    await deps.urlStore.delete('url-2', null);
  };
  // The least clicked short URLs are cached last.
  const context = { ...createJobContext(), reportProgress: change };
  expect(await warmCache(deps, fast, context)).toEqual({ urls: 1_000, stored: 999, interrupted: false });
  expect(await deps.urlCache.find('url-1')).toMatchObject({
    url: { originalUrl: 'https://example.com/newer' },
  });
  expect(await deps.urlCache.find('url-2')).toBeUndefined();
});

test('2,000 short URLs at 1,000 per second take at least 2 s, with progress for each slice', async () => {
  await insertUrls(database.db(), { begin: 'url-', count: 2_001 });
  const start = performance.now();
  const context = createJobContext();
  const reportedAt: number[] = [];
  const reportProgress = async (percent: number) => {
    reportedAt.push(performance.now() - start);
    await context.reportProgress(percent);
  };
  await warmCache(createDeps(), { limit: 10_000, perSecond: 1_000 }, { ...context, reportProgress });

  expect(context.reported).toEqual([25, 50, 75, 100]);
  // 500 more after each half second at the earliest; a timer may be a millisecond early.
  for (const [i, ms] of reportedAt.entries()) expect(ms).toBeGreaterThan((i + 1) * 490);
});
