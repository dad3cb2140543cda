import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createRedisUrlCache } from '../../../src/urls/cache/redis-cache.ts';
import { createCacheRefresh } from '../../../src/urls/cache/refresh.ts';
import { createCacheWatermark, raiseWatermark } from '../../../src/urls/cache/watermark.ts';
import { createChangeLog } from '../../../src/urls/changes/change-log.ts';
import { channelOf } from '../../../src/urls/changes/redis-bus.ts';
import { createUrlCleanupStore } from '../../../src/urls/store/cleanup-store.ts';
import { createUrlStore } from '../../../src/urls/store/url-store.ts';
import { reconcileCache } from '../../../workers/jobs/cache/reconcile-cache.ts';
import { createJobContext } from '../../support/job-context.ts';
import { useDatabase, useRedis } from '../../support/resources.ts';
import { connectExternalClient, type ExternalClient } from '../../support/urls/external-client.ts';
import { insertUrls } from '../../support/urls/urls.ts';
import { waitUntil } from '../../support/wait-until.ts';

const database = useDatabase();
const redis = useRedis();
let external: ExternalClient;

beforeAll(async () => {
  external = await connectExternalClient(database.url());
});

afterAll(async () => {
  await external.close();
});

function createDeps() {
  const options = { prefix: redis.prefix, ttlSeconds: 3_600 };
  const store = createUrlStore(database.db());
  const changes = createChangeLog(database.db());
  const cache = createRedisUrlCache(redis.redis(), options);
  const refreshCache = createCacheRefresh({ store, changes, cache });
  return { store, changes, cache, watermark: createCacheWatermark(redis.redis(), options), refreshCache };
}

const reconcile = async ({ all = false, keepRemovalsSeconds = 7_200 } = {}, context = createJobContext()) =>
  await reconcileCache(createDeps(), { all, keepRemovalsSeconds }, context);

const nothing = { checked: 0, repaired: 0, status: 'nothing to reconcile' };
const find = async (code: string) => await createDeps().cache.find(code);
const change = async (code: string) =>
  await external.run(`update urls set original_url = 'https://example.com/changed' where short_code = $1`, [
    code,
  ]);
const readChanged = async (code: string) => {
  const entry = await find(code);
  return entry && 'url' in entry && entry.url.originalUrl === 'https://example.com/changed';
};

/** Inserts and caches the short URLs url-0, url-1, …. */
async function warm(count: number) {
  await insertUrls(database.db(), { begin: 'url-', count });
  const { store, cache } = createDeps();
  const codes = Array.from({ length: count }, (_, i) => `url-${i}`);
  await cache.putMany(await store.findByCodes(codes));
}

/** Runs the job with half a minute in between until it finds nothing; resolves to the number of runs with a finding.
 *  Transactions of other tests on the same server may delay the watermark. */
async function runUntilNothing(): Promise<number> {
  const { watermark } = createDeps();
  let found = 0;
  await waitUntil('the job finds no difference', async () => {
    const mark = (await watermark.read())!;
    await watermark.write({ ...mark, nextAtMs: mark.nextAtMs - 30_000 });
    const summary = await reconcile();
    if (summary['checked'] === 0) return true;
    found += 1;
    return false;
  });
  return found;
}

beforeEach(async () => {
  await external.run('truncate urls, url_removals cascade; delete from url_removals');
  const keys = await redis.redis().keys(`${redis.prefix}*`);
  if (keys.length > 0) await redis.redis().del(...keys);
  const { changes, watermark } = createDeps();
  const { transaction, atMs } = await changes.findHorizon();
  await watermark.write({ transaction, next: transaction, nextAtMs: atMs });
});

describe('a change that the cache missed', () => {
  test('is refreshed in Redis and published to web processes', async () => {
    await warm(4);
    await change('url-1');
    await external.run(`update urls set is_active = false where short_code = 'url-2'`);
    await external.run(`delete from urls where short_code = 'url-3'`);
    const subscriber = redis.redis().duplicate();
    const announced: string[] = [];
    subscriber.on('message', (_channel, message: string) =>
      announced.push(...message.split(' ').map((change) => change.replace(/^\d+:/, ''))),
    );
    await subscriber.subscribe(channelOf(redis.prefix));

    expect(await reconcile()).toEqual({ checked: 3, repaired: 3 });
    expect(await readChanged('url-1')).toBe(true);
    expect(await find('url-2')).toMatchObject({ negative: 'not_found' });
    expect(await find('url-3')).toMatchObject({ negative: 'not_found' });
    expect(await find('url-0')).toMatchObject({ url: { originalUrl: 'https://example.com/url-0' } });
    await vi.waitUntil(() => announced.length >= 3);
    expect(announced.sort()).toEqual(['url-1', 'url-2', 'url-3']);
    subscriber.disconnect();
  });

  test('is refreshed under old codes too', async () => {
    await warm(2);
    await external.run(
      `insert into url_aliases (short_code, url_id) select 'old-' || short_code, id from urls`,
    );
    const { store, cache } = createDeps();
    await cache.putMany(await store.findByCodes(['old-url-0', 'old-url-1']));
    await change('url-0');
    await external.run(`delete from urls where short_code = 'url-1'`);
    expect(await reconcile()).toEqual({ checked: 3, repaired: 4 });
    expect(await readChanged('old-url-0')).toBe(true);
    expect(await find('old-url-1')).toMatchObject({ negative: 'not_found' });
    await external.run('update urls set version = version');
    expect(await reconcile({ all: true })).toMatchObject({ repaired: 0 });
  });

  test('is not added to a cache without an entry', async () => {
    await insertUrls(database.db(), { begin: 'url-', count: 2 });
    await change('url-1');
    expect(await reconcile()).toEqual({ checked: 1, repaired: 0 });
    expect(await find('url-1')).toBeUndefined();
  });

  test('is not checked for a new short URL', async () => {
    await warm(10);
    expect(await reconcile()).toEqual(nothing);
  });

  test('is not a row restored from a dump with higher transaction IDs', async () => {
    await warm(1);
    await external.run(`insert into urls (short_code, original_url, changed_in)
      select 'dumped-' || n, 'https://example.com/', '9000000000000000' from generate_series(1, 3) as n`);
    expect(await reconcile()).toEqual(nothing);
    await change('url-0');
    expect(await reconcile()).toEqual({ checked: 1, repaired: 1 });
    const latest = await createDeps().changes.findLatest(2);
    expect(latest.filter(({ shortCode }) => shortCode !== '*')).toEqual([
      { shortCode: 'url-0', version: expect.any(Number) },
    ]);
  });

  test('includes deletions and purges of Linkmill', async () => {
    await warm(3);
    const { store, cache } = createDeps();
    await store.delete('url-1', null);
    await store.delete('url-2', null);
    const entry = await cache.find('url-2');
    expect(await reconcile()).toEqual({ checked: 2, repaired: 2 });
    // The deletion of url-2 was not published before the purge.
    await redis.redis().set(`${redis.prefix}:url:url-2`, `${entry?.version}:2,,https://example.com/url-2`);
    await createUrlCleanupStore(database.db()).purge(new Date(), 0, 0, 10);
    expect(await reconcile()).toMatchObject({ repaired: 1 });
    expect(await find('url-2')).toMatchObject({ negative: 'not_found' });
  });

  test('is refreshed although a slow reader caches the old value afterwards', async () => {
    await warm(2);
    const { cache, store } = createDeps();
    const old = await store.findByCodes(['url-1']);
    await redis.redis().del(`${redis.prefix}:url:url-1`);
    await change('url-1');
    expect(await reconcile()).toEqual({ checked: 1, repaired: 0 });
    await cache.putMany(old);
    expect(await reconcile()).toEqual({ checked: 1, repaired: 1 });
    expect(await readChanged('url-1')).toBe(true);
  });

  test('is found when its transaction spans earlier runs', async () => {
    await warm(2);
    await external.run('begin');
    await change('url-1');
    await external.run(`delete from urls where short_code = 'url-0'`);
    const { watermark } = createDeps();
    for (let run = 0; run < 3; run++) {
      expect(await reconcile()).toEqual(nothing);
      // Simulates that half a minute has passed.
      const mark = (await watermark.read())!;
      await watermark.write({ ...mark, nextAtMs: mark.nextAtMs - 30_000 });
      await insertUrls(database.db(), { begin: `later-${run}-`, count: 1 });
    }
    await external.run('commit');
    expect(await reconcile()).toEqual({ checked: 2, repaired: 2 });
    expect(await readChanged('url-1')).toBe(true);
    expect(await find('url-0')).toMatchObject({ negative: 'not_found' });
  });
});

describe('the watermark', () => {
  test('is raised after its changes have been checked for half a minute', () => {
    const first = raiseWatermark(undefined, { transaction: '10', atMs: 0 });
    expect(first).toEqual({ next: '10', nextAtMs: 0 });
    expect(raiseWatermark(first, { transaction: '20', atMs: 29_999 })).toEqual(first);
    const second = raiseWatermark(first, { transaction: '20', atMs: 30_000 });
    expect(second).toEqual({ transaction: '10', next: '20', nextAtMs: 30_000 });
    expect(raiseWatermark(second, { transaction: '30', atMs: 60_000 }).transaction).toBe('20');
    // A clock that was set back does not delay it.
    expect(raiseWatermark(second, { transaction: '30', atMs: 0 }).transaction).toBe('20');
  });

  test('passes changes that were checked often enough', async () => {
    await warm(2);
    await change('url-1');
    expect(await runUntilNothing()).toBeGreaterThanOrEqual(2);
  });

  test('that is restored with the cache has the same changes checked again', async () => {
    await warm(2);
    const keys = await redis.redis().keys(`${redis.prefix}*`);
    const saved = await Promise.all(
      keys.map(async (key) => [key, await redis.redis().dumpBuffer(key)] as const),
    );
    await change('url-1');
    await runUntilNothing();
    for (const [key, value] of saved) await redis.redis().restore(key, 60_000, value, 'REPLACE');
    expect(await readChanged('url-1')).toBe(false);
    expect(await reconcile()).toMatchObject({ repaired: 1 });
    expect(await readChanged('url-1')).toBe(true);
  });

  test.each([
    ['is lost', async () => await redis.redis().del(`${redis.prefix}:urls:watermark`)],
    [
      'lies ahead of PostgreSQL, which was restored',
      async () => await redis.redis().hset(`${redis.prefix}:urls:watermark`, { next: '9'.repeat(18) }),
    ],
  ])('that %s has the whole cache compared, until half a minute has passed', async (_how, breakWatermark) => {
    await warm(3);
    const { store, cache } = createDeps();
    const old = await store.findByCodes(['url-2']);
    await change('url-1');
    await change('url-2');
    await breakWatermark();
    await redis.redis().del(`${redis.prefix}:url:url-2`);
    expect(await reconcile()).toEqual({ checked: 2, repaired: 1 });
    expect(await readChanged('url-1')).toBe(true);
    // A slow reader that read the row before the change.
    await cache.putMany(old);
    expect(await reconcile()).toEqual({ checked: 3, repaired: 1 });
    expect(await readChanged('url-2')).toBe(true);
    await runUntilNothing();
  });

  test('is not raised by an interrupted run', async () => {
    await warm(2_500);
    await external.run(`update urls set original_url = 'https://example.com/changed'`);
    const before = await createDeps().watermark.read();
    const context = createJobContext();
    const reportProgress = async () => context.stop();
    expect(await reconcile({}, { ...context, reportProgress })).toEqual({
      checked: 1_000,
      repaired: 1_000,
      interrupted: true,
    });
    expect(await createDeps().watermark.read()).toEqual(before);
    expect(await reconcile()).toEqual({ checked: 2_500, repaired: 1_500 });
  });

  test('has a TTL like the cache', async () => {
    expect(await redis.redis().ttl(`${redis.prefix}:urls:watermark`)).toBeGreaterThan(3_600);
  });
});

describe('the whole cache', () => {
  test('is checked on request', async () => {
    await warm(3);
    const { cache } = createDeps();
    await cache.putUnknown('unknown-1');
    await cache.putTombstones([{ shortCode: 'purged-1', version: 3 }], 'expired');
    // An entry whose deletion was never recorded.
    await redis.redis().set(`${redis.prefix}:url:ghost-1`, '7:1,,https://example.com/ghost');
    await redis.redis().set(`${redis.prefix}:url:url-2`, '0:1,,https://example.com/old');
    expect(await reconcile({ all: true })).toEqual({ checked: 6, repaired: 2 });
    expect(await find('ghost-1')).toEqual({ negative: 'not_found', version: 8 });
    expect(await find('url-2')).toMatchObject({ url: { originalUrl: 'https://example.com/url-2' } });
    expect(await find('purged-1')).toEqual({ negative: 'expired', version: 3 });
    expect(await find('unknown-1')).toEqual({ negative: 'not_found', version: 0 });
  });

  test.each([
    ['equal', 0],
    ['higher', 1_000_000],
  ])('equals the table afterwards, where Redis has %s versions', async (_which, more) => {
    await warm(4);
    await external.run(`update urls set is_active = false where short_code = 'url-2'`);
    await external.run(`delete from urls where short_code = 'url-3'`);
    const { rows } = await database.db().raw('select short_code, version from urls');
    const versions = new Map<string, number>(
      rows.map((row: { short_code: string; version: string }) => [row.short_code, Number(row.version)]),
    );
    const hold = async (code: string, value: string) =>
      await redis.redis().set(`${redis.prefix}:url:${code}`, `${(versions.get(code) ?? 7) + more}:${value}`);
    await hold('url-0', '1,,https://example.com/other');
    // A tombstone for an existing row, and entries for disabled and missing rows.
    await redis.redis().del(`${redis.prefix}:url:url-1`);
    await createDeps().cache.putTombstones(
      [{ shortCode: 'url-1', version: versions.get('url-1')! + more }],
      'expired',
    );
    await hold('url-2', '2,,https://example.com/url-2');
    await hold('url-3', '3,,https://example.com/url-3');

    expect(await reconcile({ all: true })).toMatchObject({ repaired: 4 });
    for (const code of ['url-0', 'url-1'])
      expect(await find(code)).toMatchObject({
        url: { originalUrl: `https://example.com/${code}` },
        version: versions.get(code),
      });
    expect(await find('url-2')).toMatchObject({ negative: 'not_found', version: versions.get('url-2') });
    expect(await find('url-3')).toMatchObject({ negative: 'not_found' });
    expect(await reconcile({ all: true })).toMatchObject({ repaired: 0 });
  });

  test('is checked after a TRUNCATE, and later writes of a slow reader are outdated', async () => {
    await warm(3);
    const { store, cache } = createDeps();
    const old = await store.findByCodes(['url-1']);
    await external.run('update urls set is_active = is_active; truncate urls cascade');
    expect(await reconcile()).toEqual({ checked: 3, repaired: 3 });
    await cache.putMany(old);
    for (const code of ['url-0', 'url-1', 'url-2']) {
      expect(await find(code)).toMatchObject({ negative: 'not_found' });
    }
    // The codes can be used again.
    await insertUrls(database.db(), { begin: 'url-', count: 2 });
    expect(await cache.putMany(await store.findByCodes(['url-1']))).toBe(1);
  });
});

test('a bulk change of 20,000 rows is refreshed in slices, with progress', async () => {
  await warm(2_000);
  await insertUrls(database.db(), { begin: 'cold-', count: 18_000 });
  await external.run(`update urls set original_url = 'https://example.com/changed'`);
  const context = createJobContext();
  expect(await reconcile({}, context)).toEqual({ checked: 20_000, repaired: 2_000 });
  expect(context.reported).toEqual(Array.from({ length: 20 }, (_, i) => (i + 1) * 5));
});

test('removals are deleted once they are older than every cache entry', async () => {
  await warm(2);
  await external.run(`delete from urls; update url_removals set removed_at = now() - interval '2 hours'
    where short_code = 'url-0'`);
  const count = async () => (await database.db()('url_removals')).length;
  await reconcile({ keepRemovalsSeconds: 7_201 });
  expect(await count()).toBe(2);
  await reconcile({ keepRemovalsSeconds: 7_199 });
  expect(await database.db()('url_removals').pluck('short_code')).toEqual(['url-1']);
});

test('concurrent runs refresh everything', async () => {
  await warm(2_000);
  await external.run(`update urls set original_url = 'https://example.com/changed'`);
  const runs = await Promise.all([reconcile(), reconcile(), reconcile()]);
  expect(runs.map((run) => run['checked'])).toEqual([2_000, 2_000, 2_000]);
  expect(await readChanged('url-0')).toBe(true);
  expect(await readChanged('url-1999')).toBe(true);
});
