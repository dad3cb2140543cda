import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { MemoryCache } from '../../src/urls/cache/memory-cache.ts';
import { channelOf } from '../../src/urls/changes/redis-bus.ts';
import { createMemoryUrlStores } from '../support/urls/model/memory-stores.ts';
import { anyPlan, codes } from '../support/urls/model/plan.ts';
import { useRealUrlStores } from '../support/urls/model/real-stores.ts';
import { type Observations, runPlan, type RunOptions } from '../support/urls/model/run-plan.ts';
import { openRealCache } from '../support/urls/model/web.ts';

// A failure prints the seed; FC_SEED=… repeats the same plans.
const seed = process.env['FC_SEED'];
const runs = (numRuns: number) => ({ numRuns, ...(seed ? { seed: Number(seed) } : {}) });

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});

afterEach(() => {
  vi.useRealTimers();
});

/** Sums the observations of all runs. */
function createTotal() {
  const total: Observations = { fromMemory: 0, answers: 0, whileDown: 0, unavailable: 0 };
  return {
    total,
    add: (observations: Observations) => {
      for (const what of Object.keys(total) as (keyof Observations)[]) total[what] += observations[what];
    },
  };
}

/** Faulty: a missing key does not stop a reader that read before the deletion. */
const deleteAndFill: RunOptions['openCache'] = (redis, prefix) => {
  const cache = openRealCache(redis, prefix);
  const keyOf = (shortCode: string) => `${prefix}:url:${shortCode}`;
  const deleteKey = async ({ shortCode, version }: { shortCode: string; version: number }) => {
    await redis.del(keyOf(shortCode));
    await redis.publish(channelOf(prefix), `${version}:${shortCode}`);
  };
  return {
    ...cache,
    create: deleteKey,
    putTombstones: async (changes) => void (await Promise.all(changes.map(deleteKey))),
    put: async (url) => {
      await redis.del(keyOf(url.shortCode));
      return await cache.put(url);
    },
  };
};

/** Faulty: invalidations delete entries, and their versions are not remembered. */
const withoutVersions = (cache: MemoryCache): MemoryCache => {
  const deleted = new Set<string>();
  return {
    ...cache,
    find: (code) => (deleted.has(code) ? undefined : cache.find(code)),
    findStale: (code) => (deleted.has(code) ? undefined : cache.findStale(code)),
    put: (code, entry, readAt) => {
      deleted.delete(code);
      return cache.put(code, entry, readAt);
    },
    invalidate: (code) => void deleted.add(code),
  };
};

describe('in memory, with every interleaving of steps', () => {
  const property = (options: RunOptions = {}, add: (observations: Observations) => void = () => {}) =>
    fc.asyncProperty(anyPlan, fc.scheduler(), async (plan, scheduler) => {
      const interleave = async (where: string) => await scheduler.schedule(Promise.resolve(), where);
      add(await scheduler.waitFor(runPlan(plan, createMemoryUrlStores(), { ...options, interleave })));
    });

  test('no answer is older than its bound, for any order of requests, messages and faults', async () => {
    const { total, add } = createTotal();
    await fc.assert(property({}, add), runs(800));
    expect(Math.min(...Object.values(total))).toBeGreaterThan(100);
  });

  const withMemoryCache = (change: (real: MemoryCache) => Partial<MemoryCache>): RunOptions => ({
    openMemoryCache: (real) => ({ ...real, ...change(real) }),
  });
  test.each<[string, RunOptions]>([
    [
      'writers delete keys, and readers fill and trust them',
      { openCache: deleteAndFill, ...withMemoryCache(() => ({ versionOf: () => 0 })) },
    ],
    ['web processes forget published versions', { openMemoryCache: withoutVersions }],
    ['web processes receive no invalidations', withMemoryCache(() => ({ invalidate: () => {} }))],
    ['stale entries are used while stores answer', withMemoryCache(({ findStale }) => ({ find: findStale }))],
  ])('the model fails if %s', async (_, options) => {
    const { errorInstance } = await fc.check(property(options), { ...runs(10_000), endOnFailure: true });
    expect(errorInstance).toMatchObject({ name: 'AssertionError' });
  });
});

describe('on Redis and PostgreSQL, with real concurrency', () => {
  const openStores = useRealUrlStores(codes);

  /** Each step takes some turns of the event loop. */
  const property = (add: (observations: Observations) => void) =>
    fc.asyncProperty(anyPlan, fc.infiniteStream(fc.nat(4)), async (plan, turns) => {
      const interleave = async () => {
        for (let left = turns.next().value ?? 0; left > 0; left--) await setImmediate();
      };
      add(await runPlan(plan, await openStores(), { interleave }));
    });

  test('no answer is older than its bound', async () => {
    const { total, add } = createTotal();
    await fc.assert(property(add), runs(40));
    expect(total.fromMemory).toBeGreaterThan(1_000);
    expect(total.answers).toBeGreaterThan(300);
  });
});
