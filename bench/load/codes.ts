import type { Redis } from 'ioredis';
import type { Knex } from '../../src/storage/postgres/postgres.ts';
import { createRedisUrlCache } from '../../src/urls/cache/redis-cache.ts';
import { createLeaderStore } from '../../src/urls/kept-lists/leaders.ts';
import { createRandom, createZipf } from '../../test/support/random.ts';
import { insertUrls } from '../../test/support/urls/urls.ts';
import { hotBegin, hotUrls } from './hot-urls.ts';

/** Short URLs in Redis, requested in turn. They exceed the memory cache of a process, and one pass takes longer than its TTL. */
const cachedCodes = 100_000;

/** More than a web process can look up in one second. */
const newCodesPerSecond = 10_000;

export type Codes = Awaited<ReturnType<typeof prepareCodes>>;

/** Creates the short URLs to request, without clicks. Each cache tier has codes with its own prefix, so that its clicks can be counted
 *  separately. Windows are numbered. */
export async function prepareCodes(db: Knex, redis: Redis, seconds: number) {
  const perWindow = seconds * newCodesPerSecond;
  await insertCached(db, redis, ['redis', 'zipf']);
  await insertUrls(db, { begin: hotBegin, count: hotUrls.size, areClicked: false });
  await insertUrls(db, { begin: 'viral', count: 1, areClicked: false });
  await insertUrls(db, { begin: 'flush', count: 10_000, areClicked: false });
  await insertUsual(db);
  await db.raw('vacuum analyze');

  const byZipf = Array.from(
    { length: cachedCodes },
    createZipf(name('zipf', cachedCodes), createRandom('bench')),
  );
  const inRedis = name('redis', cachedCodes);
  return {
    hot: [...hotUrls.keys()],
    viral: ['viral0'],
    unknown: name('unknown', hotUrls.size),
    /** Short URLs of flushes. */
    flush: name('flush', 10_000),
    /** Their IDs. */
    flushIds: await db('urls').whereLike('short_code', 'flush%').pluck<number[]>('id'),

    /** Zipf distribution, as with real visitors. */
    byZipf: (window: number) => fromOtherHalf(byZipf, window),

    /** Sequentially. */
    inRedis: (window: number) => fromOtherHalf(inRedis, window),

    /** Short URLs that are in no cache. */
    async inTable(window: number): Promise<string[]> {
      const begin = `table-${window}-`;
      await insertUrls(db, { begin, count: perWindow, areClicked: false });
      return name(begin, perWindow);
    },

    /** Short codes that do not exist, in no cache either. */
    neverAsked: (window: number) => name(`unknown-${window}-`, perWindow),
  };
}

/** Inserts short URLs and caches them in Redis. */
async function insertCached(db: Knex, redis: Redis, begins: string[]): Promise<void> {
  for (const begin of begins) await insertUrls(db, { begin, count: cachedCodes });
  // The short URLs with clicks: all but the first of each kind.
  const known = await createLeaderStore(db).findMostClicked(new Date(), begins.length * cachedCodes);
  await createRedisUrlCache(redis, { prefix: 'linkmill', ttlSeconds: 86_400 }).putMany(known);
  await db('url_stats').update({ click_count: 0 });
}

/** The tables of the usual designs, with the frequently requested short URLs. */
async function insertUsual(db: Knex): Promise<void> {
  await db.raw(
    'create table usual_urls (short_code text primary key, original_url text, clicks bigint default 0)',
  );
  await db.raw(
    'create table usual_visits (id bigserial primary key, short_code text, at timestamptz default now(), user_agent text, referrer text)',
  );
  await db.raw(
    `insert into usual_urls (short_code, original_url)
     select short_code, original_url from urls where starts_with(short_code, :hotBegin)`,
    { hotBegin },
  );
}

const name = (begin: string, count: number) => Array.from({ length: count }, (_, n) => `${begin}${n}`);

/** The list, starting in the half that the previous window did not use, because that one is in the memory cache. */
function fromOtherHalf<T>(list: T[], window: number): T[] {
  const begin = window % 2 === 0 ? 0 : Math.floor(list.length / 2);
  return [...list.slice(begin), ...list.slice(0, begin)];
}
