import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CacheEntry, EvaluatedEntry } from '../../../src/urls/cache/entry.ts';
import type { MemoryCache } from '../../../src/urls/cache/memory-cache.ts';
import {
  now,
  openCache,
  pass,
  unknown,
  urlOf,
  useFakePerformanceClock,
} from '../../support/urls/memory-cache.ts';

useFakePerformanceClock();

const operations = ['begin to read', 'continue', 'continue', 'change', 'delete', 'receive', 'visit'] as const;
const network = ['break', 'notice', 'subscribe', 'receive the reply'] as const;

/** Sequential events for two short URLs. `ms` is the duration of an event. */
const stepsOf = (...kinds: ((typeof operations)[number] | (typeof network)[number])[]) =>
  fc.array(
    fc.record({
      kind: fc.constantFrom(...kinds),
      code: fc.constantFrom('code-a', 'code-a', 'code-a', 'code-b'),
      pick: fc.nat(3),
      ms: fc.constantFrom(0, 0, 1, 1, 1, 20, 100, 300, 1_000),
    }),
    { minLength: 10, maxLength: 60, size: 'max' },
  );
const steps = fc.oneof(stepsOf(...operations), stepsOf(...operations, ...operations, ...network));

type Script = ReturnType<(typeof steps)['generate']>['value'];

/** Runs a script on a memory cache, a simulated Redis cache that accepts only newer versions, and a table. A change is
 *  written to the table, and later to Redis and published at the same moment. Its message arrives later, in order, or
 *  is lost with its connection, which is noticed even later. Fails when the memory cache returns an entry that was
 *  replaced before a received message, or 250 ms ago while disconnected, or 2 s ago. */
function run(
  cache: Pick<MemoryCache, 'find' | 'put' | 'invalidate' | 'onConnected' | 'onDisconnected'>,
  script: Script,
) {
  interface Change {
    code: string;
    version: number;
    /** When Redis got it. */
    at: number;
    /** Whether the process was disconnected then. */
    wasDisconnected: boolean;
    arrived: boolean;
  }
  let version = 1;
  const table = new Map<string, CacheEntry>([['code-a', urlOf(version)]]);
  const redis = new Map<string, CacheEntry>();
  const changes: Change[] = [];
  /** Next steps of the reads and writes in progress. */
  let inProgress: (() => void)[] = [];
  /** Messages in flight. */
  let inFlight: Change[] = [];
  /** Whether Redis sends messages to the process, and whether the process relies on them. */
  let subscribed = true;
  let reliesOnBus = true;
  let replyArrives = false;
  cache.onConnected();
  pass(1);

  const later = (step: () => void) => void inProgress.push(step);
  const putRedis = (code: string, entry: CacheEntry) => {
    const current = redis.get(code);
    if (!current || current.version < entry.version) redis.set(code, entry);
  };
  const readTable = (code: string) => table.get(code) ?? unknown;

  function write(code: string, entry: CacheEntry) {
    table.set(code, entry);
    later(() => {
      putRedis(code, entry);
      const change = {
        code,
        version: entry.version,
        at: now(),
        wasDisconnected: !reliesOnBus,
        arrived: false,
      };
      changes.push(change);
      if (subscribed) inFlight.push(change);
    });
  }

  function read(code: string) {
    const readAt = now();
    later(() => {
      const found = redis.get(code);
      if (found) later(() => cache.put(code, found, readAt));
      else
        later(() => {
          const row = readTable(code);
          later(() => {
            putRedis(code, row);
            later(() => cache.put(code, row, readAt));
          });
        });
    });
  }

  function checkEntry(code: string) {
    const entry = cache.find(code);
    if (!entry) return;
    for (const change of changes.filter((one) => one.code === code && one.version > entry.version)) {
      expect(
        change.arrived,
        `version ${entry.version} is returned after ${change.version} was published`,
      ).toBe(false);
      expect(now() - change.at).toBeLessThan(!reliesOnBus || change.wasDisconnected ? 250 : 2_000);
    }
  }

  const handlers: Record<Script[number]['kind'], (step: Script[number]) => void> = {
    'begin to read': ({ code }) => read(code),
    continue: ({ pick }) => inProgress.splice(pick % inProgress.length, 1)[0]?.(),
    change: ({ code }) => write(code, urlOf((version += 1))),
    delete: ({ code }) => write(code, { version: (version += 1), negative: 'not_found' }),
    receive: () => {
      const change = inFlight.shift();
      if (!change) return;
      change.arrived = true;
      cache.invalidate(change.code, change.version);
    },
    visit: ({ code }) => {
      if (!cache.find(code)) read(code);
    },
    break: () => {
      subscribed = replyArrives = false;
      inFlight = [];
    },
    notice: () => {
      if (subscribed || !reliesOnBus) return;
      reliesOnBus = false;
      cache.onDisconnected();
    },
    subscribe: () => {
      if (reliesOnBus || subscribed) return;
      subscribed = replyArrives = true;
    },
    'receive the reply': () => {
      if (!replyArrives) return;
      replyArrives = false;
      reliesOnBus = true;
      cache.onConnected();
    },
  };

  const checkBoth = () => ['code-a', 'code-b'].forEach(checkEntry);
  for (const step of script) {
    handlers[step.kind](step);
    checkBoth();
    pass(step.ms);
    checkBoth();
  }
  while (inProgress.length > 0) inProgress.shift()!();
  checkBoth();
  pass(2_000);
  checkBoth();
  for (const code of ['code-a', 'code-b']) {
    read(code);
    while (inProgress.length > 0) inProgress.shift()!();
    const entry = cache.find(code);
    if (entry) expect(entry).toEqual(readTable(code));
  }
}

type Cache = Parameters<typeof run>[0];

const check = (open: () => Cache, numRuns: number) =>
  fc.check(
    fc.property(steps, (script) => run(open(), script)),
    { numRuns },
  );

describe('with any interleaving of reads, writes and network events', () => {
  test.each([1, 10])('no entry outlives its bounds with a capacity of %i', (maxEntries) => {
    const result = check(() => openCache({ maxEntries }), 5_000);
    expect(fc.defaultReportMessage(result)).toBeUndefined();
  });

  const faulty: Record<string, (real: MemoryCache) => Partial<Cache>> = {
    'deletes invalidated entries without remembering versions': () => {
      const entries = new Map<string, { entry: EvaluatedEntry; readAt: number }>();
      return {
        find: (code) => {
          const current = entries.get(code);
          return current && now() - current.readAt < 2_000 ? current.entry : undefined;
        },
        put: (code, entry, readAt) => entries.set(code, { entry, readAt }).has(code),
        invalidate: (code) => void entries.delete(code),
        onDisconnected: () => entries.clear(),
        onConnected: () => entries.clear(),
      };
    },
    'counts the age of an entry from its put': (real) => ({
      put: (code, entry) => real.put(code, entry, now()),
    }),
    'keeps entries while disconnected': () => {
      const real = openCache();
      real.onConnected();
      return { ...real, onDisconnected: () => {}, onConnected: () => {} };
    },
    'ignores invalidations': () => ({ invalidate: () => {} }),
  };
  test.each(Object.keys(faulty))('a cache that %s fails the model', (what) => {
    const open = () => {
      const real = openCache();
      return { ...real, ...faulty[what]!(real) };
    };
    expect(check(open, 50_000).failed).toBe(true);
  });
});
