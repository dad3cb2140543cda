import type { Redis } from 'ioredis';
import type { Knex } from '../src/postgres.ts';
import { createUrlCache } from '../src/urls/url-cache.ts';
import { createUrlStore } from '../src/urls/url-store.ts';
import { createRandom, createZipf } from '../test/support/random.ts';
import { insertUrls } from '../test/support/urls.ts';
import { hotBegin, hotUrls } from './hot-urls.ts';

/** Redis knows as many short URLs as are asked for one after the other, which is more than a process knows by heart and takes
 *  longer than it may. */
const cachedCodes = 100_000;

export type Codes = Awaited<ReturnType<typeof prepareCodes>>;

/** Makes the short URLs that redirects are asked for, none of them clicked yet. Each way to resolve one has codes of its own,
 *  which begin with its name, so that its clicks can be told from others. */
export async function prepareCodes(
  db: Knex,
  redis: Redis,
  { rounds, perRound }: { rounds: number; perRound: number },
) {
  for (const begin of ['redis', 'zipf']) await insertUrls(db, { begin, count: cachedCodes });
  // What has clicks, which is all but the first of each.
  const known = await createUrlStore(db).findMostClicked(new Date(), 2 * cachedCodes);
  await createUrlCache(redis, { prefix: 'linkmill', ttlSeconds: 86_400 }).putMany(known);
  await insertUrls(db, { begin: hotBegin, count: hotUrls.size });
  await insertUrls(db, { begin: 'viral', count: 1 });
  await insertUrls(db, { begin: 'table', count: rounds * perRound });
  await insertUrls(db, { begin: 'flush', count: 10_000 });
  await db.raw('update url_stats set click_count = 0');
  await db.raw(
    `create table usual_urls as
     select short_code, original_url, cast(0 as bigint) as clicks from urls where short_code ~ ('^' || :hotBegin)`,
    { hotBegin },
  );
  await db.raw('alter table usual_urls add primary key (short_code)');
  await db.raw('vacuum analyze');

  const zipf = createZipf(name('zipf', cachedCodes), createRandom('bench'));
  const clickedByZipf = Array.from({ length: cachedCodes }, zipf);
  return {
    hot: [...hotUrls.keys()],
    viral: ['viral0'],
    inRedis: name('redis', cachedCodes),
    /** As visitors come: few short URLs often, many seldom. */
    byZipf: (round: number) => rotate(clickedByZipf, (round * clickedByZipf.length) / rounds),
    /** Never asked for before. */
    inTable: (round: number) =>
      name('table', rounds * perRound)
        .slice(round * perRound)
        .slice(0, perRound),
    unknown: name('nobody', hotUrls.size),
    flushIds: await db('urls').whereLike('short_code', 'flush%').pluck<number[]>('id'),
    neverAsked: (round: number) => name(`nobody-${round}-`, perRound),
  };
}

const name = (begin: string, count: number) => Array.from({ length: count }, (_, n) => `${begin}${n}`);
const rotate = <T>(list: T[], by: number): T[] => [...list.slice(by), ...list.slice(0, by)];
