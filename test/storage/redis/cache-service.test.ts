import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createApiKeys } from '../../../src/api-keys/api-keys.ts';
import { closeRedis } from '../../../src/storage/redis/redis.ts';
import { createCodes, findMiscounted, readCounted } from '../../support/clicks/counts.ts';
import { createClient } from '../../support/http/client.ts';
import { isHealthy, readHealth } from '../../support/http/health.ts';
import { sendRedirects, type Tally } from '../../support/processes/load.ts';
import { runProcess, startWeb, startWorker } from '../../support/processes/processes.ts';
import { silentLog, useDatabase } from '../../support/resources.ts';
import { startTestRedis, type TestRedis } from '../../support/services/servers.ts';
import { openSingleRedis } from '../../support/services/single-redis.ts';
import { connectExternalClient } from '../../support/urls/external-client.ts';
import { insertUrls } from '../../support/urls/urls.ts';
import { waitUntil } from '../../support/wait-until.ts';

const { db, url } = useDatabase();
let servers: Record<'main' | 'cache', TestRedis>;
let redis: Record<'main' | 'cache', Redis>;
let web: Awaited<ReturnType<typeof startWeb>>;
let worker: Awaited<ReturnType<typeof startWorker>>;
let client: ReturnType<typeof createClient>;

const settings = () => ({
  DATABASE_URL: url(),
  REDIS_URL: servers.main.url,
  REDIS_CACHE_URL: servers.cache.url,
});

beforeAll(async () => {
  const [main, cache] = await Promise.all([
    startTestRedis(),
    startTestRedis({ args: ['--maxmemory-policy', 'allkeys-lru'] }),
  ]);
  servers = { main, cache };
  redis = {
    main: openSingleRedis('jobs', main.url, silentLog),
    cache: openSingleRedis('jobs', cache.url, silentLog),
  };
  const { key } = await createApiKeys(db()).create('test');
  [web, worker] = await Promise.all([startWeb(settings()), startWorker(settings())]);
  client = createClient(web.baseUrl, key);
  await waitUntil('the service is healthy', async () => await isHealthy(web.baseUrl), 30_000);
});

afterAll(async () => {
  await Promise.all([web.stop(), worker.stop()]);
  await Promise.all(Object.values(redis).map(closeRedis));
  await Promise.all(Object.values(servers).map((server) => server.stop()));
});

const locationOf = async (code: string) =>
  (await fetch(`${web.baseUrl}/${code}`, { redirect: 'manual' })).headers.get('location');
const untilCounted = async (tally: Tally) =>
  await waitUntil(
    'each answered redirect is counted once',
    async () => findMiscounted(tally, await readCounted(db())).length === 0,
    20_000,
  );
const keysIn = async (of: 'main' | 'cache', pattern: string) => await redis[of].keys(pattern);

test('one has the cached short URLs, the other one keys, clicks and jobs', async () => {
  const { body } = await client.post('/api/v1/urls', { original_url: 'https://example.com/here' });
  const code = String(body['short_code']);
  expect(await locationOf(code)).toBe('https://example.com/here');
  expect(await keysIn('cache', 'linkmill:url:*')).toContain(`linkmill:url:${code}`);
  expect(await keysIn('main', 'linkmill:url:*')).toEqual([]);
  await waitUntil('a reconciliation has left its watermark', async () => {
    return (await keysIn('cache', 'linkmill:urls:watermark')).length === 1;
  });
  expect(await keysIn('cache', '*')).not.toContainEqual(expect.stringMatching(/clicks|keys:pool|\{/));
  expect(await keysIn('main', 'linkmill:keys:pool')).toHaveLength(1);
  const { checks, conditions } = await readHealth(web.baseUrl);
  expect([Object.keys(checks), conditions]).toEqual([['postgres', 'redis', 'redis_cache'], []]);
});

test('a cache that evicts keeps every redirect, change and count right', async () => {
  await insertUrls(db(), { begin: 'evicted', count: 8_000, areClicked: false });
  const used = /used_memory:(\d+)/.exec(await redis.cache.info('memory'));
  await redis.cache.config('SET', 'maxmemory', Number(used![1]) + 500_000);
  const codes = await db()('urls').where('short_code', 'like', 'evicted%').pluck<string[]>('short_code');
  const tally = await sendRedirects(web.baseUrl, codes);
  expect(tally.failures).toEqual([]);
  await untilCounted(tally);
  const evicted = /evicted_keys:(\d+)/.exec(await redis.cache.info('stats'));
  expect(Number(evicted?.[1])).toBeGreaterThan(0);
  expect((await keysIn('cache', 'linkmill:url:*')).length).toBeLessThan(codes.length);
  const program = await connectExternalClient(url());
  await program.run(
    `update urls set original_url = 'https://example.com/x' where short_code like 'evicted%'`,
  );
  await program.close();
  const some = codes.filter((_, n) => n % 400 === 0);
  for (const code of some)
    await waitUntil(
      'the change is effective',
      async () => (await locationOf(code)) === 'https://example.com/x',
    );
  expect(await isHealthy(web.baseUrl)).toBe(true);
});

describe('while the cache is away', () => {
  beforeAll(async () => {
    await servers.cache.kill();
  });
  afterAll(async () => {
    await servers.cache.start();
    await waitUntil('the service is healthy again', async () => await isHealthy(web.baseUrl), 30_000);
  });

  test('redirects, creates, changes, clicks and jobs go on, and the health names the cache', async () => {
    await waitUntil('the condition is reported', async () => {
      const { conditions } = await readHealth(web.baseUrl);
      return conditions.some(({ code }) => code === 'redis_cache_unusable');
    });
    const codes = await createCodes(db(), web.baseUrl, 20);
    const tally = await sendRedirects(
      web.baseUrl,
      Array.from({ length: 400 }, (_, n) => codes[n % codes.length]!),
    );
    expect(tally.failures).toEqual([]);
    await untilCounted(tally);
    const { works, conditions, checks } = await readHealth(web.baseUrl);
    expect(works).toMatchObject({ redirects: 'all', jobs: true, clicks: 'redis' });
    expect(checks['redis_cache']!.status).toBe('down');
    expect(conditions.find(({ code }) => code === 'redis_cache_unusable')!.reason).toContain(
      'REDIS_CACHE_URL',
    );
    const changed = await client.patch(`/api/v1/urls/${codes[0]}`, {
      original_url: 'https://example.com/new',
    });
    expect(changed.status).toBe(200);
    expect(await locationOf(codes[0]!)).toBe('https://example.com/new');
  });

  test('jobs that change short URLs complete', async () => {
    await insertUrls(db(), { begin: 'ended', count: 300, expiresAt: new Date(Date.now() - 1_000) });
    // The worker may have been first with some of them: it has no cache either.
    const { code, stderr } = await runProcess('workers/run-job.js', settings(), ['cleanup-expired']);
    expect([code, stderr]).toEqual([0, '']);
    expect(await db()('urls').where('short_code', 'like', 'ended%').where({ is_active: true })).toEqual([]);
  });

  test('a restore is completed', async () => {
    const before = await redis.main.hget('linkmill:epoch', 'epoch');
    const { code, stderr } = await runProcess('src/cli/restore-complete.js', settings());
    expect([code, stderr]).toEqual([0, expect.stringContaining('REDIS_CACHE_URL is not available')]);
    expect(await redis.main.hget('linkmill:epoch', 'epoch')).not.toBe(before);
  });
});

test('a job from the command line writes to the cache', async () => {
  await redis.cache.flushall();
  const { code, stderr } = await runProcess('workers/run-job.js', settings(), ['warm-cache']);
  expect([code, stderr]).toEqual([0, '']);
  expect((await keysIn('cache', 'linkmill:url:*')).length).toBeGreaterThan(0);
  expect(await keysIn('main', 'linkmill:url:*')).toEqual([]);
});

test('a cache that was emptied is warmed up and belongs to the epoch again when it is back', async () => {
  await servers.cache.kill();
  await servers.cache.start();
  await waitUntil(
    'the cache is warm',
    async () => (await keysIn('cache', 'linkmill:url:*')).length > 0,
    30_000,
  );
  await waitUntil('it belongs to the epoch', async () => {
    const [main, cache] = await Promise.all(
      [redis.main, redis.cache].map(async (one) => await one.hget('linkmill:epoch', 'epoch')),
    );
    return main === cache;
  });
});

test('both services belong to the epoch of the database', async () => {
  const epochs = async () =>
    await Promise.all(
      [redis.main, redis.cache].map(async (one) => await one.hget('linkmill:epoch', 'epoch')),
    );
  const before = await epochs();
  expect(before[0]).toBe(before[1]);
  const { code, stderr } = await runProcess('src/cli/restore-complete.js', settings());
  expect([code, stderr]).toEqual([0, '']);
  const after = await epochs();
  expect(after[0]).toBe(after[1]);
  expect(after[0]).not.toBe(before[0]);
});
