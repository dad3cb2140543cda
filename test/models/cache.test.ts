import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { MemoryCache } from '../../src/urls/cache/memory-cache.ts';
import { channelOf } from '../../src/urls/changes/redis-bus.ts';
import { judgePlan, openRealCache, type Play, type Seen } from '../support/urls/model.ts';
import { anyPlan, codes } from '../support/urls/plan.ts';
import { useRealUrlStores } from '../support/urls/real-stores.ts';
import { createMemoryUrlStores } from '../support/urls/stores.ts';

// A failure prints the seed; FC_SEED=… runs the same plans again.
const seed = process.env['FC_SEED'];
const runs = (numRuns: number) => ({ numRuns, ...(seed ? { seed: Number(seed) } : {}) });

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});

afterEach(() => {
  vi.useRealTimers();
});

/** Counts what is seen in all plays together. */
function createTotal() {
  const total: Seen = { fromMemory: 0, answers: 0, whileDown: 0, unavailable: 0 };
  return {
    total,
    add: (seen: Seen) => {
      for (const what of Object.keys(total) as (keyof Seen)[]) total[what] += seen[what];
    },
  };
}

/** Wrong: a key that is not there says nothing to a reader who read before it was deleted. */
const deleteAndFill: Play['openCache'] = (redis, prefix) => {
  const cache = openRealCache(redis, prefix);
  const keyOf = (shortCode: string) => `${prefix}:url:${shortCode}`;
  const forget = async ({ shortCode, version }: { shortCode: string; version: number }) => {
    await redis.del(keyOf(shortCode));
    await redis.publish(channelOf(prefix), `${version}:${shortCode}`);
  };
  return {
    ...cache,
    create: forget,
    putTombstones: async (gone) => void (await Promise.all(gone.map(forget))),
    put: async (url) => {
      await redis.del(keyOf(url.shortCode));
      return await cache.put(url);
    },
  };
};

/** Wrong: what was announced is forgotten, but no reader is told which version it was. */
const withoutVersions = (cache: MemoryCache): MemoryCache => {
  const forgotten = new Set<string>();
  return {
    ...cache,
    find: (code) => (forgotten.has(code) ? undefined : cache.find(code)),
    findStale: (code) => (forgotten.has(code) ? undefined : cache.findStale(code)),
    put: (code, entry, readAt) => {
      forgotten.delete(code);
      return cache.put(code, entry, readAt);
    },
    invalidate: (code) => void forgotten.add(code),
  };
};

describe('in memory, where everyone is overtaken at any step', () => {
  const property = (play: Play = {}, add: (seen: Seen) => void = () => {}) =>
    fc.asyncProperty(anyPlan, fc.scheduler(), async (plan, scheduler) => {
      const interleave = async (where: string) => await scheduler.schedule(Promise.resolve(), where);
      add(await scheduler.waitFor(judgePlan(plan, createMemoryUrlStores(), { ...play, interleave })));
    });

  test('whatever visitors, writers, messages, stores and time do, nothing is shown that was changed before its bound', async () => {
    const { total, add } = createTotal();
    await fc.assert(property({}, add), runs(800));
    expect(Math.min(...Object.values(total))).toBeGreaterThan(100);
  });

  const knows = (change: (real: MemoryCache) => Partial<MemoryCache>): Play => ({
    openMemoryCache: (real) => ({ ...real, ...change(real) }),
  });
  test.each<[string, Play]>([
    [
      'writers deleted keys and readers filled them, and took them, whatever is there',
      { openCache: deleteAndFill, ...knows(() => ({ versionOf: () => 0 })) },
    ],
    ['web processes forgot which versions were announced', { openMemoryCache: withoutVersions }],
    ['web processes heard nothing', knows(() => ({ invalidate: () => {} }))],
    ['what was known answered while stores do', knows(({ findStale }) => ({ find: findStale }))],
  ])('it would be found out if %s', async (_, play) => {
    const { errorInstance } = await fc.check(property(play), { ...runs(10_000), endOnFailure: true });
    expect(errorInstance).toMatchObject({ name: 'AssertionError' });
  });
});

describe('on Redis and PostgreSQL, with everyone at once', () => {
  const openStores = useRealUrlStores(codes);

  /** Each step takes some turns of the event loop. */
  const property = (add: (seen: Seen) => void) =>
    fc.asyncProperty(anyPlan, fc.infiniteStream(fc.nat(4)), async (plan, turns) => {
      const interleave = async () => {
        for (let left = turns.next().value ?? 0; left > 0; left--) await setImmediate();
      };
      add(await judgePlan(plan, await openStores(), { interleave }));
    });

  test('nothing is shown that was changed before its bound', async () => {
    const { total, add } = createTotal();
    await fc.assert(property(add), runs(40));
    expect(total.fromMemory).toBeGreaterThan(1_000);
    expect(total.answers).toBeGreaterThan(300);
  });
});
