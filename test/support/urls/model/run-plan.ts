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
import { createBusConnection } from './bus-connection.ts';
import { createOracle, type Oracle } from './oracle.ts';
import { codes, type Plan, type StoreEvent, webCount, type WriteKind } from './plan.ts';
import type { CacheRedis, UrlStores, UrlTable } from './stores.ts';

/** The guarantees in ms: the maximum delay of a change, and the maximum age of a stale entry. */
const [promiseMs, staleMs] = [2_000, 10_000];

/** Approximate number of other steps between two visits, events or clock changes. */
const pace = 3;

export interface RunOptions {
  /** Is awaited before each step. */
  interleave?: (where: string) => Promise<void>;
  /** A faulty replacement of the product's cache, which the model must detect. */
  openCache?: typeof openRealCache;
  openMemoryCache?: (real: MemoryCache) => MemoryCache;
}

/** What a run observed: one without observations proves nothing. */
export interface Observations {
  fromMemory: number;
  answers: number;
  whileDown: number;
  unavailable: number;
}

/** Runs a plan on memory caches, Redis and the database. Checks the memory caches after each step, and every answer.
 *  Time is `performance.now()` and advances only by the plan. */
export async function runPlan(
  plan: Plan,
  stores: UrlStores,
  options: RunOptions = {},
): Promise<Observations> {
  const { interleave = async () => {} } = options;
  const observed: Observations = { fromMemory: 0, answers: 0, whileDown: 0, unavailable: 0 };
  const oracle = createOracle(codes, plan.capacity >= codes.length);
  const connections = createStoreConnections(step);
  const webs = Array.from({ length: webCount }, (_, number) =>
    openWeb(number, { stores, oracle, connections, options, plan, step }),
  );
  /** Visits and writes in progress. */
  const inProgress = new Set<{ web: number; code: string; at: number; isVisit: boolean }>();
  let urlCount = 0;
  let copiedAt = -Infinity;

  const unsubscribe = await stores.subscribe((version, shortCode) => {
    oracle.onPublished(
      version,
      shortCode,
      [...webs.keys()].filter((web) => !webs[web]!.bus.reliesOnBus),
    );
    for (const { bus } of webs) bus.publish(shortCode, version);
  });

  async function step(where: string) {
    await interleave(where);
    pass(0.01);
  }

  function pass(ms: number) {
    vi.advanceTimersByTime(ms);
    for (const [number, { memoryCache, bus }] of webs.entries()) {
      for (const code of codes) {
        const entry = memoryCache.find(code);
        if (!entry || 'blocked' in entry) continue;
        observed.fromMemory += 1;
        oracle.checkMemory(
          number,
          !bus.reliesOnBus,
          code,
          'negative' in entry ? entry.negative : entry.url.originalUrl,
        );
      }
    }
  }

  async function visit({ web, code }: { web: number; code: string }) {
    const { urls, failures } = webs[web]!;
    const own = { web, code, at: performance.now(), isVisit: true };
    inProgress.add(own);
    // A visitor may join a look-up that an earlier visitor began.
    const joined = [...inProgress].filter((one) => one.isVisit && one.web === web && one.code === code);
    const lookUpAt = Math.min(...joined.map(({ at }) => at));
    const checkAnswer = oracle.beginVisit(web, code);
    const failuresBefore = failures.of(code);
    const now = dateNow();
    const answer = await urls.resolve(code, now).then((url) => url.originalUrl, reasonOf);
    inProgress.delete(own);
    const hasFailed = failures.of(code) > failuresBefore;
    if (answer === unavailable && hasFailed) {
      observed.unavailable += 1;
      return;
    }
    observed.answers += 1;
    if (hasFailed) observed.whileDown += 1;
    checkAnswer(answer, now, lookUpAt, hasFailed ? staleMs : promiseMs);
  }

  async function write({ web, operation, code, ms }: Plan['writers'][number][number]) {
    const { urls, cache, table } = webs[web]!;
    const originalUrl = `https://example.com/${(urlCount += 1)}`;
    const now = new Date(dateNow());
    const createUrl = async (expiresAt: Date | null) => {
      // The input is validated now, even if it has expired by the time of the insert.
      const now = new Date(dateNow());
      await table.purgeDeleted();
      await urls.create({ originalUrl, customCode: code, expiresAt }, stores.ownerId, { now });
    };
    const writes: Record<WriteKind, () => Promise<void>> = {
      create: async () => await createUrl(null),
      'create expiring': async () => await createUrl(new Date(now.getTime() + ms)),
      change: async () => void (await urls.change(code, { originalUrl }, null)),
      delete: async () => await urls.delete(code, null),
      restore: async () => void (await urls.restore(code, null)),
      'overwrite deleted': async () => {
        const options = { owner: null, restoresDeleted: true };
        await urls.create({ originalUrl, customCode: code }, stores.ownerId, { ...options, now });
      },
      purge: async () => await urls.purge(code, { apiKeyId: stores.ownerId, owner: null, isAdmin: false }),
      'clean up': async () => {
        const expired = await table.disableExpired(new Date(dateNow()), 10);
        await cache.replace(expired.map((url) => [url.shortCode, toCacheEntry(url)]));
      },
    };
    const own = { web, code, at: performance.now(), isVisit: false };
    inProgress.add(own);
    try {
      await writes[operation]();
    } catch (error) {
      if (!isExpected(error)) throw error;
    } finally {
      inProgress.delete(own);
    }
  }

  /** Requests since this time may put older entries once Redis has lost newer ones. */
  const oldestAt = () => Math.min(performance.now(), ...[...inProgress].map(({ at }) => at));
  function goDown(store: Store) {
    connections.down.add(store);
    if (store === 'Redis') for (const { bus } of webs) bus.break();
  }
  const storeEvents: Record<StoreEvent, () => unknown> = {
    'Redis goes down': () => goDown('Redis'),
    'Redis comes back': () => connections.down.delete('Redis'),
    'PostgreSQL goes down': () => goDown('PostgreSQL'),
    'PostgreSQL comes back': () => connections.down.delete('PostgreSQL'),
    'both go down': () => {
      goDown('Redis');
      goDown('PostgreSQL');
    },
    'Redis loses everything': async () => {
      oracle.onLoss(oldestAt());
      await stores.faults['loses everything']();
    },
    'Redis is copied': async () => {
      copiedAt = performance.now();
      await stores.faults['is copied']();
    },
    'Redis is rolled back to the copy': async () => {
      oracle.onLoss(Math.min(oldestAt(), copiedAt));
      await stores.faults['is rolled back to the copy']();
    },
  };

  async function inTurn<T>(actor: string, items: T[], act: (item: T) => unknown, steps = 1) {
    for (const item of items) {
      for (let left = steps; left > 0; left--) await step(`${actor}: ${JSON.stringify(item)}`);
      await act(item);
    }
  }

  const everywhere = [...webs.keys()].flatMap((web) => codes.map((code) => ({ web, code })));
  await write({ web: 0, operation: 'create', code: codes[0], ms: 0 });
  await inTurn('first visitor', everywhere, visit);
  await allOf([
    ...plan.visitors.map((visits) => inTurn('visitor', visits, visit, pace)),
    ...plan.writers.map((writes) => inTurn('writer', writes, write)),
    ...plan.busEvents.map((events, web) =>
      inTurn(`bus ${web}`, events, (what) => webs[web]!.bus[what](), pace),
    ),
    inTurn('stores', plan.stores, (what) => storeEvents[what](), pace),
    inTurn('clock', plan.clock, pass, pace),
  ]);
  await unsubscribe();
  await allOf(webs.map(({ bus }) => bus.arrived()));
  connections.down.clear();
  pass(promiseMs);
  await inTurn('last visitor', everywhere, visit);
  return observed;
}

type Store = 'Redis' | 'PostgreSQL';
type StoreConnections = ReturnType<typeof createStoreConnections>;

/** The connections between web processes and stores. */
function createStoreConnections(step: (where: string) => Promise<void>) {
  const down = new Set<Store>();
  return {
    down,
    /** Wraps a command with a step before and after it; fails while its store is down. */
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

/** The product's short URLs with a memory cache of their own. */
function openWeb(
  number: number,
  deps: {
    stores: UrlStores;
    oracle: Oracle;
    connections: StoreConnections;
    options: RunOptions;
    plan: Plan;
    step: (where: string) => Promise<void>;
  },
) {
  const { stores, oracle, connections, options, plan, step } = deps;
  const { openCache = openRealCache, openMemoryCache = (real) => real } = options;
  const memoryCache = openMemoryCache(
    createMemoryCache({ maxEntries: plan.capacity, maxBytes: 1_000_000, staleMs }),
  );
  const { redis } = stores;
  const cache = openCache(
    {
      mget: connections.to('Redis', 'MGET', (keys) => redis.mget(keys)),
      eval: connections.to('Redis', 'EVAL', (...args) => redis.eval(...args)),
      publish: connections.to('Redis', 'PUBLISH', (...args) => redis.publish(...args)),
      del: connections.to('Redis', 'DEL', (key) => redis.del(key)),
    },
    stores.prefix,
  );
  const table = openTable(stores.table, oracle, connections);
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
    // Nothing listens to PostgreSQL in this model.
    onUnpublished: async () => {},
    // Every code is a custom code.
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
      oracle.onReceived(version, code, number);
    },
  };
  const bus = createBusConnection(listener, async () => await step('message'), repeat(plan.losses[number]!));
  return { urls, cache, table, memoryCache, failures, bus };
}

function* repeat<T>(list: T[]): Generator<T> {
  for (;;) yield* list;
}

/** The database table; reports its writes to the oracle. */
function openTable(table: UrlTable, oracle: Oracle, connections: StoreConnections): UrlTable {
  return {
    findByCode: connections.to('PostgreSQL', 'find', table.findByCode),
    purgeDeleted: connections.to('PostgreSQL', 'purge', table.purgeDeleted),
    insertMany: connections.to('PostgreSQL', 'insert', async (urls) => {
      const ends = urls.map((url) => oracle.begin(url.shortCode, url.originalUrl));
      const inserted = await table.insertMany(urls);
      ends.forEach((end, i) => end(inserted[i]));
      return inserted;
    }),
    delete: connections.to('PostgreSQL', 'delete', async (code) => {
      const end = oracle.begin(code, 'not_found');
      const deleted = await table.delete(code, null);
      end(deleted);
      return deleted;
    }),
    change: connections.to('PostgreSQL', 'change', async (code, changes) => {
      const end = oracle.begin(code, changes.originalUrl!);
      const changed = await table.change(code, changes, null);
      end(changed);
      return changed;
    }),
    restore: connections.to('PostgreSQL', 'restore', async (code) => {
      const was = await table.findByCode(code);
      const end = oracle.begin(code, was && !was.hasEnded ? was.originalUrl : 'expired');
      const restored = await table.restore(code, null);
      end(restored);
      return restored;
    }),
    findDeleted: connections.to('PostgreSQL', 'find deleted', table.findDeleted),
    restoreAs: connections.to('PostgreSQL', 'take back', async (urls) => {
      const ends = urls.map((url) => oracle.begin(url.shortCode, url.originalUrl));
      const restored = await table.restoreAs(urls);
      ends.forEach((end, i) => end(restored[i]));
      return restored;
    }),
    purgeOne: connections.to('PostgreSQL', 'purge one', async (id, how) => {
      const ends = codes.map((code) => ({ code, end: oracle.begin(code, 'not_found') }));
      const purged = await table.purgeOne(id, how);
      for (const { code, end } of ends) end(purged?.find(({ shortCode }) => shortCode === code));
      return purged;
    }),
    disableExpired: connections.to('PostgreSQL', 'clean up', async (now, limit) => {
      const ends = codes.map((code) => oracle.begin(code, 'expired'));
      const expired = await table.disableExpired(now, limit);
      ends.forEach((end, i) => end(expired.find(({ shortCode }) => shortCode === codes[i])));
      return expired;
    }),
  };
}

/** Counts the failed look-ups of each code. */
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

/** The product's Redis cache. */
export const openRealCache = (redis: CacheRedis, prefix: string): RedisUrlCache =>
  createRedisUrlCache(redis as unknown as Redis, { prefix, ttlSeconds: 3_600 });

/** Milliseconds since 1970, in the past, so that expired short URLs have also expired on the system clock. */
const dateNow = () => Date.UTC(2020, 0, 1) + Math.floor(performance.now());

const unavailable = 'unavailable';

function reasonOf(error: unknown): string {
  if (error instanceof UrlNotFound) return 'not_found';
  if (error instanceof UrlExpired) return 'expired';
  if (isPostgresUnavailable(error)) return unavailable;
  throw error;
}

const isExpected = (error: unknown) =>
  error instanceof CodeTaken ||
  error instanceof CodeDeleted ||
  error instanceof UrlNotFound ||
  isPostgresUnavailable(error);

/** Waits for all of them, even if one fails. */
async function allOf(items: Promise<unknown>[]): Promise<void> {
  await Promise.allSettled(items);
  await Promise.all(items);
}
