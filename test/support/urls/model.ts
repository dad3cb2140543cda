import type { Redis } from 'ioredis';
import { vi } from 'vitest';
import type { Keys } from '../../../src/keys/keys.ts';
import { isPostgresUnavailable } from '../../../src/storage/postgres/postgres.ts';
import { hashPassword } from '../../../src/urls/access/password.ts';
import { toCacheEntry } from '../../../src/urls/cache/entry.ts';
import { createMemoryCache, type MemoryCache } from '../../../src/urls/cache/memory-cache.ts';
import { createRedisUrlCache, type RedisUrlCache } from '../../../src/urls/cache/redis-cache.ts';
import type { UrlStore } from '../../../src/urls/store/url-store.ts';
import { CodeDeleted, CodeTaken, UrlExpired, UrlNotFound } from '../../../src/urls/url.ts';
import { createUrls } from '../../../src/urls/urls.ts';
import { silentLog } from '../resources.ts';
import { createLine } from './bus-line.ts';
import { createUrlJudge, type UrlJudge } from './oracle.ts';
import { codes, type Plan, type StoreEvent, webCount, type WriteKind } from './plan.ts';
import type { CacheRedis, UrlStores, UrlTable } from './stores.ts';

/** How soon a change shows, whatever happens to messages; and how old an answer may be while neither store answers, in ms. */
const [promiseMs, staleMs] = [2_000, 10_000];

/** Steps of each of the others, about, from one visit, event or moment to the next. */
const pace = 3;

export interface Play {
  /** Is passed at each step, before it. */
  interleave?: (where: string) => Promise<void>;
  /** What is to be found out, in place of the product's. */
  openCache?: typeof openRealCache;
  openMemoryCache?: (real: MemoryCache) => MemoryCache;
}

/** What was seen in a play: one in which nothing happens proves nothing. */
export interface Seen {
  fromMemory: number;
  answers: number;
  whileDown: number;
  unavailable: number;
}

/** Plays a plan over process caches, Redis and table, and judges at each step what is known by heart, and each visit. Time is
 *  what `performance` says, and moves by the plan alone. */
export async function judgePlan(plan: Plan, stores: UrlStores, play: Play = {}): Promise<Seen> {
  const { interleave = async () => {} } = play;
  const seen: Seen = { fromMemory: 0, answers: 0, whileDown: 0, unavailable: 0 };
  const judge = createUrlJudge(codes, plan.room >= codes.length);
  const wire = createWire(step);
  const webs = Array.from({ length: webCount }, (_, number) =>
    openWeb(number, { stores, judge, wire, play, plan, step }),
  );
  /** Visits and writes that have begun. */
  const underWay = new Set<{ web: number; code: string; at: number; isVisit: boolean }>();
  let urlCount = 0;
  let copiedAt = -Infinity;

  const endHearing = await stores.hear((version, shortCode) => {
    judge.onTold(
      version,
      shortCode,
      [...webs.keys()].filter((web) => !webs[web]!.line.relies),
    );
    for (const { line } of webs) line.announce(shortCode, version);
  });

  async function step(where: string) {
    await interleave(where);
    pass(0.01);
  }

  function pass(ms: number) {
    vi.advanceTimersByTime(ms);
    for (const [number, { memoryCache, line }] of webs.entries()) {
      for (const code of codes) {
        const entry = memoryCache.find(code);
        if (!entry || 'blocked' in entry) continue;
        seen.fromMemory += 1;
        judge.judgeByHeart(
          number,
          !line.relies,
          code,
          'negative' in entry
            ? entry.negative === 'expired'
              ? 'expired'
              : 'not found'
            : entry.url.originalUrl,
        );
      }
    }
  }

  async function visit({ web, code }: { web: number; code: string }) {
    const { urls, failures } = webs[web]!;
    const own = { web, code, at: performance.now(), isVisit: true };
    underWay.add(own);
    // A visitor may join a look-up that an earlier one has begun.
    const joined = [...underWay].filter((one) => one.isVisit && one.web === web && one.code === code);
    const lookUpAt = Math.min(...joined.map(({ at }) => at));
    const judgeAnswer = judge.beginVisit(web, code);
    const failuresBefore = failures.of(code);
    const now = dateNow();
    const shows = await urls.resolve(code, now).then((url) => url.originalUrl, reasonOf);
    underWay.delete(own);
    const hasFailed = failures.of(code) > failuresBefore;
    if (shows === unavailable && hasFailed) {
      seen.unavailable += 1;
      return;
    }
    seen.answers += 1;
    if (hasFailed) seen.whileDown += 1;
    judgeAnswer(shows, now, lookUpAt, hasFailed ? staleMs : promiseMs);
  }

  async function write({ web, does, code, ms }: Plan['writers'][number][number]) {
    const { urls, cache, table } = webs[web]!;
    const originalUrl = `https://example.com/${(urlCount += 1)}`;
    const now = new Date(dateNow());
    const create = async (expiresAt: Date | null) => {
      // The wish is judged when it comes in, though it may be over when it gets to the table.
      const now = new Date(dateNow());
      await table.purgeDeleted();
      await urls.create({ originalUrl, customCode: code, expiresAt }, stores.ownerId, { now });
    };
    const writes: Record<WriteKind, () => Promise<void>> = {
      creates: async () => await create(null),
      'creates for a while': async () => await create(new Date(now.getTime() + ms)),
      changes: async () => void (await urls.change(code, { originalUrl }, null)),
      deletes: async () => await urls.delete(code, null),
      restores: async () => void (await urls.restore(code, null)),
      'replaces what is deleted': async () => {
        const how = { owner: null, restoresDeleted: true };
        await urls.create({ originalUrl, customCode: code }, stores.ownerId, { ...how, now });
      },
      purges: async () => await urls.purge(code, { apiKeyId: stores.ownerId, owner: null, isAdmin: false }),
      'cleans up': async () => {
        const expired = await table.disableExpired(new Date(dateNow()), 10);
        await cache.replace(expired.map((url) => [url.shortCode, toCacheEntry(url)]));
      },
    };
    const own = { web, code, at: performance.now(), isVisit: false };
    underWay.add(own);
    try {
      await writes[does]();
    } catch (error) {
      if (!isExpected(error)) throw error;
    } finally {
      underWay.delete(own);
    }
  }

  /** Who asked or changed the table before a change may put there what is older, once Redis has lost the newer. */
  const oldestAt = () => Math.min(performance.now(), ...[...underWay].map(({ at }) => at));
  function goDown(store: Store) {
    wire.down.add(store);
    if (store === 'Redis') for (const { line } of webs) line.breaks();
  }
  const happens: Record<StoreEvent, () => unknown> = {
    'Redis goes down': () => goDown('Redis'),
    'Redis comes back': () => wire.down.delete('Redis'),
    'PostgreSQL goes down': () => goDown('PostgreSQL'),
    'PostgreSQL comes back': () => wire.down.delete('PostgreSQL'),
    'both go down': () => {
      goDown('Redis');
      goDown('PostgreSQL');
    },
    'Redis loses everything': async () => {
      judge.onLoss(oldestAt());
      await stores.harm['loses everything']();
    },
    'Redis is copied': async () => {
      copiedAt = performance.now();
      await stores.harm['is copied']();
    },
    'Redis is rolled back to the copy': async () => {
      judge.onLoss(Math.min(oldestAt(), copiedAt));
      await stores.harm['is rolled back to the copy']();
    },
  };

  async function inTurn<T>(who: string, things: T[], act: (thing: T) => unknown, steps = 1) {
    for (const thing of things) {
      for (let left = steps; left > 0; left--) await step(`${who}: ${JSON.stringify(thing)}`);
      await act(thing);
    }
  }

  const everyWhere = [...webs.keys()].flatMap((web) => codes.map((code) => ({ web, code })));
  await write({ web: 0, does: 'creates', code: codes[0], ms: 0 });
  await inTurn('first visitor', everyWhere, visit);
  await allOf([
    ...plan.visitors.map((visits) => inTurn('visitor', visits, visit, pace)),
    ...plan.writers.map((writes) => inTurn('writer', writes, write)),
    ...plan.lines.map((events, web) =>
      inTurn(`line ${web}`, events, (what) => webs[web]!.line[what](), pace),
    ),
    inTurn('stores', plan.stores, (what) => happens[what](), pace),
    inTurn('clock', plan.clock, pass, pace),
  ]);
  await endHearing();
  await allOf(webs.map(({ line }) => line.arrived()));
  wire.down.clear();
  pass(promiseMs);
  await inTurn('last visitor', everyWhere, visit);
  return seen;
}

type Store = 'Redis' | 'PostgreSQL';
type Wire = ReturnType<typeof createWire>;

/** What lies between a web process and a store. */
function createWire(step: (where: string) => Promise<void>) {
  const down = new Set<Store>();
  return {
    down,
    /** A command with a step before and after it, which fails while its store is down. */
    to:
      <Args extends unknown[], Result>(
        store: Store,
        name: string,
        command: (...args: Args) => Promise<Result>,
      ) =>
      async (...args: Args): Promise<Result> => {
        const pass = async (where: string) => {
          await step(where);
          if (down.has(store)) throw new Error('Connection terminated unexpectedly');
        };
        await pass(name);
        const result = await command(...args);
        await pass(`${name}: answer`);
        return result;
      },
  };
}

/** The product's short URLs on a process cache of their own. */
function openWeb(
  number: number,
  deps: {
    stores: UrlStores;
    judge: UrlJudge;
    wire: Wire;
    play: Play;
    plan: Plan;
    step: (where: string) => Promise<void>;
  },
) {
  const { stores, judge, wire, play, plan, step } = deps;
  const { openCache = openRealCache, openMemoryCache = (real) => real } = play;
  const memoryCache = openMemoryCache(
    createMemoryCache({ maxEntries: plan.room, maxBytes: 1_000_000, staleMs }),
  );
  const { redis } = stores;
  const cache = openCache(
    {
      mget: wire.to('Redis', 'MGET', (keys) => redis.mget(keys)),
      eval: wire.to('Redis', 'EVAL', (...args) => redis.eval(...args)),
      publish: wire.to('Redis', 'PUBLISH', (...args) => redis.publish(...args)),
      del: wire.to('Redis', 'DEL', (key) => redis.del(key)),
    },
    stores.prefix,
  );
  const table = openTable(stores.table, judge, wire);
  const failures = countFailures(table.findByCode);
  const findWithClicks = async (code: string) => {
    const url = await table.findByCode(code);
    return url?.isDeleted ? undefined : url;
  };
  const urls = createUrls({
    store: { ...table, findByCode: failures.findByCode, findWithClicks } as unknown as UrlStore,
    cache,
    memoryCache,
    blockedHosts: { evaluate: (entry) => entry },
    // Here nobody hears PostgreSQL.
    onUnpublished: async () => {},
    // Every code is chosen.
    keys: {} as Keys,
    idempotencyKeys: { findMany: async () => [], findRequestHash: async () => undefined },
    normaliseUrl: (url) => url,
    hashPassword,
    retention: { days: 30, codeReuseDays: 90 },
    log: silentLog,
  });
  const listener = {
    onConnected: memoryCache.onConnected,
    onDisconnected: memoryCache.onDisconnected,
    onChange: (code: string, version: number) => {
      memoryCache.invalidate(code, version);
      judge.onHeard(version, code, number);
    },
  };
  const line = createLine(listener, async () => await step('announcement'), repeat(plan.losses[number]!));
  return { urls, cache, table, memoryCache, failures, line };
}

function* repeat<T>(list: T[]): Generator<T> {
  for (;;) yield* list;
}

/** The table, which tells the judge what is written. */
function openTable(table: UrlTable, judge: UrlJudge, wire: Wire): UrlTable {
  return {
    findByCode: wire.to('PostgreSQL', 'find', table.findByCode),
    purgeDeleted: wire.to('PostgreSQL', 'purge', table.purgeDeleted),
    insertMany: wire.to('PostgreSQL', 'insert', async (wanted) => {
      const ends = wanted.map((url) => judge.begin(url.shortCode, url.originalUrl));
      const inserted = await table.insertMany(wanted);
      ends.forEach((end, i) => end(inserted[i]));
      return inserted;
    }),
    delete: wire.to('PostgreSQL', 'delete', async (code) => {
      const end = judge.begin(code, 'not found');
      const deleted = await table.delete(code, null);
      end(deleted);
      return deleted;
    }),
    change: wire.to('PostgreSQL', 'change', async (code, changes) => {
      const end = judge.begin(code, changes.originalUrl!);
      const changed = await table.change(code, changes, null);
      end(changed);
      return changed;
    }),
    restore: wire.to('PostgreSQL', 'restore', async (code) => {
      const was = await table.findByCode(code);
      const end = judge.begin(code, was && !was.hasEnded ? was.originalUrl : 'expired');
      const restored = await table.restore(code, null);
      end(restored);
      return restored;
    }),
    findDeleted: wire.to('PostgreSQL', 'find deleted', table.findDeleted),
    restoreAs: wire.to('PostgreSQL', 'take back', async (wanted) => {
      const ends = wanted.map((url) => judge.begin(url.shortCode, url.originalUrl));
      const restored = await table.restoreAs(wanted);
      ends.forEach((end, i) => end(restored[i]));
      return restored;
    }),
    purgeOne: wire.to('PostgreSQL', 'purge one', async (id, how) => {
      const ends = codes.map((code) => ({ code, end: judge.begin(code, 'not found') }));
      const purged = await table.purgeOne(id, how);
      for (const { code, end } of ends) end(purged?.find(({ shortCode }) => shortCode === code));
      return purged;
    }),
    disableExpired: wire.to('PostgreSQL', 'clean up', async (now, limit) => {
      const ends = codes.map((code) => judge.begin(code, 'expired'));
      const expired = await table.disableExpired(now, limit);
      ends.forEach((end, i) => end(expired.find(({ shortCode }) => shortCode === codes[i])));
      return expired;
    }),
  };
}

/** Counts the look-ups of a code that failed. */
function countFailures(find: UrlTable['findByCode']) {
  const counts = new Map<string, number>();
  const of = (code: string) => counts.get(code) ?? 0;
  return {
    of,
    findByCode: async (code: string) => {
      try {
        return await find(code);
      } catch (error) {
        counts.set(code, of(code) + 1);
        throw error;
      }
    },
  };
}

/** The product's cache. */
export const openRealCache = (redis: CacheRedis, prefix: string): RedisUrlCache =>
  createRedisUrlCache(redis as unknown as Redis, { prefix, ttlSeconds: 3_600 });

/** Milliseconds since 1970; long ago, so that what has expired then has expired for the processor's clock too. */
const dateNow = () => Date.UTC(2020, 0, 1) + Math.floor(performance.now());

const unavailable = 'unavailable';

function reasonOf(error: unknown): string {
  if (error instanceof UrlNotFound) return 'not found';
  if (error instanceof UrlExpired) return 'expired';
  if (isPostgresUnavailable(error)) return unavailable;
  throw error;
}

const isExpected = (error: unknown) =>
  error instanceof CodeTaken ||
  error instanceof CodeDeleted ||
  error instanceof UrlNotFound ||
  isPostgresUnavailable(error);

/** Waits for all of them, also when one fails. */
async function allOf(things: Promise<unknown>[]): Promise<void> {
  await Promise.allSettled(things);
  await Promise.all(things);
}
