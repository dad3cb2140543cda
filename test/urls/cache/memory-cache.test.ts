import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { CacheEntry, EvaluatedEntry } from '../../../src/urls/cache/entry.ts';
import { createMemoryCache, type MemoryCache } from '../../../src/urls/cache/memory-cache.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
  pass(1_000);
});

afterEach(() => {
  vi.useRealTimers();
});

const pass = (ms: number) => void vi.advanceTimersByTime(ms);
const now = () => performance.now();

const openCache = ({ maxEntries = 1_000, maxBytes = 1_000_000, staleMs = 0 } = {}) =>
  createMemoryCache({ maxEntries, maxBytes, staleMs });

/** A cache that has been connected to the invalidation bus for a while. */
function openConnected(options?: Parameters<typeof openCache>[0]) {
  const cache = openCache(options);
  cache.onConnected();
  pass(1);
  return cache;
}

const urlOf = (version: number, originalUrl = `https://example.com/${version}`): CacheEntry => ({
  version,
  url: { id: version, originalUrl, expiresAtMs: null },
});
const unknown: CacheEntry = { version: 0, negative: 'not_found' };

describe('age', () => {
  test('an entry is fresh for 1.8 s from the start of its read while connected', () => {
    const cache = openConnected();
    const readAt = now();
    pass(500);
    cache.put('code', urlOf(1), readAt);
    pass(1_299);
    expect(cache.find('code')).toEqual(urlOf(1));
    pass(1);
    expect(cache.find('code')).toBeUndefined();
  });

  test('an entry is fresh for 250 ms before the first connection', () => {
    const cache = openCache();
    cache.put('code', urlOf(1), now());
    pass(249);
    expect(cache.find('code')).toEqual(urlOf(1));
    pass(1);
    expect(cache.find('code')).toBeUndefined();
  });

  test('an entry is fresh for 250 ms while disconnected', () => {
    const cache = openConnected();
    cache.onDisconnected();
    pass(1);
    cache.put('code', urlOf(1), now());
    pass(249);
    expect(cache.find('code')).toEqual(urlOf(1));
    pass(1);
    expect(cache.find('code')).toBeUndefined();
  });

  test('a hit does not renew an entry, and another read does', () => {
    const cache = openConnected();
    cache.put('code', urlOf(1), now());
    pass(1_500);
    expect(cache.find('code')).toEqual(urlOf(1));
    cache.put('code', urlOf(1), now());
    pass(1_799);
    expect(cache.find('code')).toEqual(urlOf(1));
    pass(1);
    expect(cache.find('code')).toBeUndefined();
  });

  test('a slow read of the same version does not make an entry older', () => {
    const cache = openConnected();
    const slowBegan = now();
    pass(1_000);
    cache.put('code', urlOf(1), now());
    cache.put('code', urlOf(1), slowBegan);
    pass(1_500);
    expect(cache.find('code')).toEqual(urlOf(1));
  });
});

describe('capacity', () => {
  test('the least recently used entry is evicted first', () => {
    const cache = openConnected({ maxEntries: 3 });
    for (const code of ['one', 'two', 'three']) cache.put(code, urlOf(1), now());
    cache.find('one');
    cache.put('four', urlOf(1), now());
    expect(['one', 'two', 'three', 'four'].filter((code) => cache.find(code))).toEqual([
      'one',
      'three',
      'four',
    ]);
    expect(cache.size).toBe(3);
  });

  test('long URLs reach the limit in bytes before the limit in entries', () => {
    const cache = openConnected({ maxEntries: 1_000, maxBytes: 100_000 });
    for (let i = 0; i < 100; i++) {
      cache.put(`code-${i}`, urlOf(1, `https://example.com/${'x'.repeat(9_000)}`), now());
      pass(1);
    }
    expect(cache.size).toBe(10);
    expect(cache.find('code-99')).toBeDefined();
    expect(cache.find('code-89')).toBeUndefined();
  });

  test('invalidations of codes that are not cached are bounded too', () => {
    const few = openConnected({ maxEntries: 10 });
    const small = openConnected({ maxBytes: 10_000 });
    for (let i = 0; i < 1_000; i++) for (const cache of [few, small]) cache.invalidate(`code-${i}`, i + 1);
    expect(few.size).toBe(10);
    expect(small.size).toBeLessThan(50);
  });
});

describe('invalidations', () => {
  test('an older version is invalidated, the same version is not', () => {
    const cache = openConnected();
    cache.put('changed', urlOf(1), now());
    cache.put('same', urlOf(2), now());
    cache.invalidate('changed', 2);
    cache.invalidate('same', 2);
    expect(cache.find('changed')).toBeUndefined();
    expect(cache.find('same')).toEqual(urlOf(2));
  });

  test('a slow read cannot put an older version, and newer versions are accepted', () => {
    const cache = openConnected();
    const readAt = now();
    pass(1);
    cache.invalidate('code', 5);
    cache.put('code', urlOf(4), readAt);
    expect(cache.find('code')).toBeUndefined();
    pass(1);
    cache.put('code', urlOf(4), now());
    expect(cache.find('code')).toBeUndefined();
    cache.put('code', urlOf(5), now());
    expect(cache.find('code')).toEqual(urlOf(5));
  });

  test('a late invalidation of an older version has no effect', () => {
    const cache = openConnected();
    cache.invalidate('code', 7);
    cache.invalidate('code', 5);
    cache.put('code', urlOf(6), now());
    expect(cache.find('code')).toBeUndefined();
    pass(1);
    cache.put('code', urlOf(7), now());
    cache.invalidate('code', 6);
    expect(cache.find('code')).toEqual(urlOf(7));
  });

  test('an invalidation affects only its own code', () => {
    const cache = openConnected();
    cache.put('other', urlOf(1), now());
    cache.invalidate('code', 9);
    expect(cache.find('other')).toEqual(urlOf(1));
  });

  test.each(['onDisconnected', 'onConnected'] as const)(
    'after %s earlier entries are not returned',
    (event) => {
      const cache = openConnected();
      if (event === 'onConnected') cache.onDisconnected();
      pass(1);
      cache.put('code', urlOf(1), now());
      cache[event]();
      expect(cache.find('code')).toBeUndefined();
      pass(1);
      expect(cache.find('code')).toBeUndefined();
      cache.put('code', urlOf(1), now());
      expect(cache.find('code')).toEqual(urlOf(1));
    },
  );

  test('a read that began while disconnected is fresh for 250 ms only', () => {
    const cache = openConnected();
    cache.onDisconnected();
    pass(1);
    const readAt = now();
    pass(1);
    // The short URL changes here, and the change is missed.
    cache.onConnected();
    cache.put('code', urlOf(1), readAt);
    pass(250);
    expect(cache.find('code')).toBeUndefined();
  });

  test('a slow read cannot put a version that was invalidated before a disconnect', () => {
    const cache = openConnected();
    const readAt = now();
    pass(1);
    cache.invalidate('code', 2);
    cache.onDisconnected();
    cache.put('code', urlOf(1), readAt);
    expect(cache.find('code')).toBeUndefined();
  });

  test('an invalidation remains in effect after a reconnect', () => {
    const cache = openConnected();
    cache.invalidate('code', 2);
    cache.onDisconnected();
    pass(1);
    cache.onConnected();
    pass(1);
    cache.put('code', urlOf(1), now());
    expect(cache.find('code')).toBeUndefined();
  });

  test('put returns false if a newer version was published since the read began', () => {
    const cache = openConnected();
    const readAt = now();
    pass(1);
    cache.invalidate('code', 2);
    expect(cache.put('code', urlOf(1), readAt)).toBe(false);
    expect(cache.put('code', urlOf(2), readAt)).toBe(true);
    pass(1);
    // An outdated Redis, or no row: another read would return the same.
    expect(cache.put('code', urlOf(1), now())).toBe(true);
    expect(cache.put('other', urlOf(1), readAt)).toBe(true);
  });

  test('put returns false even if earlier invalidations were evicted', () => {
    const cache = openConnected({ maxEntries: 10 });
    const readAt = now();
    pass(1);
    cache.invalidate('evicted', 2);
    cache.invalidate('code', 2);
    for (let i = 0; i < 9; i++) cache.put(`code-${i}`, urlOf(1), now());
    expect(cache.put('code', urlOf(1), readAt)).toBe(false);
  });

  test('a slow read cannot put a version whose invalidation was evicted', () => {
    const cache = openConnected({ maxEntries: 10 });
    const readAt = now();
    pass(1);
    cache.invalidate('code', 2);
    pass(1);
    for (let i = 0; i < 10; i++) cache.put(`code-${i}`, urlOf(1), now());
    cache.put('code', urlOf(1), readAt);
    expect(cache.find('code')).toBeUndefined();
    pass(1);
    cache.put('code', urlOf(2), now());
    expect(cache.find('code')).toEqual(urlOf(2));
  });

  test.each([
    ['after', ['invalidate', 'put']],
    ['before', ['put', 'invalidate']],
  ])('a slow read cannot put an older version if the new one was put %s the invalidation', (_when, order) => {
    const cache = openConnected({ maxEntries: 10 });
    const firstBegan = now();
    pass(1);
    const slowBegan = now();
    pass(1);
    for (const step of order) {
      if (step === 'put') cache.put('code', urlOf(2), firstBegan);
      else cache.invalidate('code', 2);
    }
    expect(cache.find('code')).toEqual(urlOf(2));
    for (let i = 0; i < 10; i++) cache.put(`code-${i}`, urlOf(1), now());
    cache.put('code', urlOf(1), slowBegan);
    expect(cache.find('code')).toBeUndefined();
  });
});

describe('negative entries', () => {
  test('are fresh for as long as others', () => {
    const cache = openConnected();
    cache.put('code', unknown, now());
    pass(1_799);
    expect(cache.find('code')).toEqual(unknown);
    pass(1);
    expect(cache.find('code')).toBeUndefined();
  });

  test('are invalidated by a create, and a slow read cannot restore them', () => {
    const cache = openConnected();
    const readAt = now();
    cache.put('code', unknown, readAt);
    cache.invalidate('code', 1);
    expect(cache.find('code')).toBeUndefined();
    cache.put('code', unknown, readAt);
    expect(cache.find('code')).toBeUndefined();
    pass(1);
    cache.put('code', urlOf(1), now());
    expect(cache.find('code')).toEqual(urlOf(1));
  });
});

describe('stale entries', () => {
  const openStale = (options = {}) => openConnected({ staleMs: 60_000, ...options });

  test('are returned up to `staleMs` after their read', () => {
    const cache = openStale();
    cache.put('code', urlOf(1), now());
    pass(59_999);
    expect(cache.find('code')).toBeUndefined();
    expect(cache.findStale('code')).toEqual(urlOf(1));
    pass(1);
    expect(cache.findStale('code')).toBeUndefined();
  });

  test('are never returned with a `staleMs` of 0', () => {
    const cache = openStale({ staleMs: 0 });
    cache.put('code', urlOf(1), now());
    expect(cache.findStale('code')).toBeUndefined();
  });

  test('are returned across a disconnect, even from a read that began before it', () => {
    const cache = openStale();
    cache.put('code', urlOf(1), now());
    const readAt = now();
    pass(1);
    cache.onDisconnected();
    pass(1);
    cache.onConnected();
    pass(1);
    cache.put('slow', urlOf(1), readAt);
    for (const code of ['code', 'slow']) {
      expect(cache.find(code)).toBeUndefined();
      expect(cache.findStale(code)).toEqual(urlOf(1));
    }
  });

  test('are never older than a published version, whatever was missed since', () => {
    const cache = openStale();
    const readAt = now();
    cache.put('code', urlOf(1), readAt);
    pass(1);
    cache.invalidate('code', 2);
    expect(cache.findStale('code')).toBeUndefined();
    cache.onDisconnected();
    cache.put('code', urlOf(1), readAt);
    pass(1);
    cache.onConnected();
    pass(1);
    cache.put('code', urlOf(1), now());
    expect(cache.findStale('code')).toBeUndefined();
  });

  test('are not returned after many changes', () => {
    const cache = openStale();
    cache.put('code', urlOf(1), now());
    pass(1);
    cache.onManyChanges();
    expect(cache.findStale('code')).toBeUndefined();
    pass(1);
    cache.put('code', urlOf(1), now());
    expect(cache.findStale('code')).toEqual(urlOf(1));
  });

  test('are not returned after a later read found no row', () => {
    const cache = openStale();
    cache.put('deleted', urlOf(1), now());
    pass(2_000);
    const slowBegan = now();
    pass(1);
    cache.put('deleted', unknown, now());
    cache.put('deleted', urlOf(1), slowBegan);
    expect(cache.findStale('deleted')).toBeUndefined();
  });

  test('are never negative', () => {
    const cache = openStale();
    cache.put('unknown', unknown, now());
    cache.put('deleted', { version: 2, negative: 'not_found' }, now());
    expect(cache.findStale('unknown')).toBeUndefined();
    expect(cache.findStale('deleted')).toBeUndefined();
  });

  test('are evicted like others', () => {
    const cache = openStale({ maxEntries: 2 });
    for (const code of ['one', 'two', 'three']) cache.put(code, urlOf(1), now());
    expect(cache.findStale('one')).toBeUndefined();
    expect(cache.findStale('three')).toEqual(urlOf(1));
    expect(cache.size).toBe(2);
  });
});

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
