import { vi } from 'vitest';
import { isPostgresUnavailable } from '../../../../src/storage/postgres/postgres.ts';
import { toCacheEntry } from '../../../../src/urls/cache/entry.ts';
import { CodeDeleted, CodeTaken, UrlExpired, UrlNotFound } from '../../../../src/urls/url.ts';
import { createOracle } from './oracle.ts';
import { codes, type Plan, type StoreEvent, webCount, type WriteKind } from './plan.ts';
import { createStoreConnections, type Store } from './store-connections.ts';
import type { UrlStores } from './stores.ts';
import { type CacheOptions, openWeb, staleMs } from './web.ts';

/** The guaranteed maximum delay of a change. */
const promiseMs = 2_000;

/** Approximate number of other steps between two visits, events or clock changes. */
const pace = 3;

export interface RunOptions extends CacheOptions {
  /** Is awaited before each step. */
  interleave?: (where: string) => Promise<void>;
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
