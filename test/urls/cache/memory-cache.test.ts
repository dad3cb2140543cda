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

/** One that hears announcements, and has done so for a while. */
function openHearing(options?: Parameters<typeof openCache>[0]) {
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
  test('an entry is found for 1.8 s while announcements are heard, from when its reader began', () => {
    const cache = openHearing();
    const readAt = now();
    pass(500);
    cache.put('code', urlOf(1), readAt);
    pass(1_299);
    expect(cache.find('code')).toEqual(urlOf(1));
    pass(1);
    expect(cache.find('code')).toBeUndefined();
  });

  test('an entry is found for 250 ms before announcements are heard for the first time', () => {
    const cache = openCache();
    cache.put('code', urlOf(1), now());
    pass(249);
    expect(cache.find('code')).toEqual(urlOf(1));
    pass(1);
    expect(cache.find('code')).toBeUndefined();
  });

  test('an entry is found for 250 ms once announcements may be missed', () => {
    const cache = openHearing();
    cache.onDisconnected();
    pass(1);
    cache.put('code', urlOf(1), now());
    pass(249);
    expect(cache.find('code')).toEqual(urlOf(1));
    pass(1);
    expect(cache.find('code')).toBeUndefined();
  });

  test('being found makes an entry no younger, and being read again does', () => {
    const cache = openHearing();
    cache.put('code', urlOf(1), now());
    pass(1_500);
    expect(cache.find('code')).toEqual(urlOf(1));
    cache.put('code', urlOf(1), now());
    pass(1_799);
    expect(cache.find('code')).toEqual(urlOf(1));
    pass(1);
    expect(cache.find('code')).toBeUndefined();
  });

  test('a slow reader of the same version makes an entry no older than it is', () => {
    const cache = openHearing();
    const slowBegan = now();
    pass(1_000);
    cache.put('code', urlOf(1), now());
    cache.put('code', urlOf(1), slowBegan);
    pass(1_500);
    expect(cache.find('code')).toEqual(urlOf(1));
  });
});

describe('bounds', () => {
  test('the entry that was not asked for the longest makes room for one beyond the bound', () => {
    const cache = openHearing({ maxEntries: 3 });
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

  test('long URLs fill it by their bytes before they do by their number', () => {
    const cache = openHearing({ maxEntries: 1_000, maxBytes: 100_000 });
    for (let i = 0; i < 100; i++) {
      cache.put(`code-${i}`, urlOf(1, `https://example.com/${'x'.repeat(9_000)}`), now());
      pass(1);
    }
    expect(cache.size).toBe(10);
    expect(cache.find('code-99')).toBeDefined();
    expect(cache.find('code-89')).toBeUndefined();
  });

  test('announcements of codes that nobody asks for here are bounded too', () => {
    const few = openHearing({ maxEntries: 10 });
    const small = openHearing({ maxBytes: 10_000 });
    for (let i = 0; i < 1_000; i++) for (const cache of [few, small]) cache.invalidate(`code-${i}`, i + 1);
    expect(few.size).toBe(10);
    expect(small.size).toBeLessThan(50);
  });
});

describe('announcements', () => {
  test('an entry older than an announced version is not found any more, one of that version still is', () => {
    const cache = openHearing();
    cache.put('changed', urlOf(1), now());
    cache.put('known', urlOf(2), now());
    cache.invalidate('changed', 2);
    cache.invalidate('known', 2);
    expect(cache.find('changed')).toBeUndefined();
    expect(cache.find('known')).toEqual(urlOf(2));
  });

  test('a slow reader cannot bring back what is older than an announced version, and newer ones are taken', () => {
    const cache = openHearing();
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

  test('an announcement that arrives late takes nothing back', () => {
    const cache = openHearing();
    cache.invalidate('code', 7);
    cache.invalidate('code', 5);
    cache.put('code', urlOf(6), now());
    expect(cache.find('code')).toBeUndefined();
    pass(1);
    cache.put('code', urlOf(7), now());
    cache.invalidate('code', 6);
    expect(cache.find('code')).toEqual(urlOf(7));
  });

  test('an announcement concerns its own code alone', () => {
    const cache = openHearing();
    cache.put('other', urlOf(1), now());
    cache.invalidate('code', 9);
    expect(cache.find('other')).toEqual(urlOf(1));
  });

  test.each(['onDisconnected', 'onConnected'] as const)(
    'after %s nothing is found that was read before',
    (event) => {
      const cache = openHearing();
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

  test('what a reader brings that began while announcements were missed is not kept for 2 s', () => {
    const cache = openHearing();
    cache.onDisconnected();
    pass(1);
    const readAt = now();
    pass(1);
    // Here it is changed, and nobody hears of it.
    cache.onConnected();
    cache.put('code', urlOf(1), readAt);
    pass(250);
    expect(cache.find('code')).toBeUndefined();
  });

  test('a slow reader cannot bring back what was announced before announcements were missed', () => {
    const cache = openHearing();
    const readAt = now();
    pass(1);
    cache.invalidate('code', 2);
    cache.onDisconnected();
    cache.put('code', urlOf(1), readAt);
    expect(cache.find('code')).toBeUndefined();
  });

  test('what was announced before announcements were missed stays so afterwards', () => {
    const cache = openHearing();
    cache.invalidate('code', 2);
    cache.onDisconnected();
    pass(1);
    cache.onConnected();
    pass(1);
    cache.put('code', urlOf(1), now());
    expect(cache.find('code')).toBeUndefined();
  });

  test('a reader is told to read again where a newer version was announced since it began', () => {
    const cache = openHearing();
    const readAt = now();
    pass(1);
    cache.invalidate('code', 2);
    expect(cache.put('code', urlOf(1), readAt)).toBe(false);
    expect(cache.put('code', urlOf(2), readAt)).toBe(true);
    pass(1);
    // An older Redis, or no row any more: reading again would find the same.
    expect(cache.put('code', urlOf(1), now())).toBe(true);
    expect(cache.put('other', urlOf(1), readAt)).toBe(true);
  });

  test('a reader is told to read again although what was announced before is forgotten', () => {
    const cache = openHearing({ maxEntries: 10 });
    const readAt = now();
    pass(1);
    cache.invalidate('forgotten', 2);
    cache.invalidate('code', 2);
    for (let i = 0; i < 9; i++) cache.put(`code-${i}`, urlOf(1), now());
    expect(cache.put('code', urlOf(1), readAt)).toBe(false);
  });

  test('a slow reader cannot bring back what was announced before a flood of others', () => {
    const cache = openHearing({ maxEntries: 10 });
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
    ['before', ['announce', 'put']],
    ['after', ['put', 'announce']],
  ])('nor where a reader brought the new version %s the announcement', (_when, order) => {
    const cache = openHearing({ maxEntries: 10 });
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

describe('codes that no short URL has', () => {
  test('are known as such for as long as others', () => {
    const cache = openHearing();
    cache.put('code', unknown, now());
    pass(1_799);
    expect(cache.find('code')).toEqual(unknown);
    pass(1);
    expect(cache.find('code')).toBeUndefined();
  });

  test('are forgotten when one is created, and a slow reader does not bring that back', () => {
    const cache = openHearing();
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

describe('what is known while neither store answers', () => {
  const openStale = (options = {}) => openHearing({ staleMs: 60_000, ...options });

  test('is a short URL that was read up to `staleMs` ago, though it is too old to be found', () => {
    const cache = openStale();
    cache.put('code', urlOf(1), now());
    pass(59_999);
    expect(cache.find('code')).toBeUndefined();
    expect(cache.findStale('code')).toEqual(urlOf(1));
    pass(1);
    expect(cache.findStale('code')).toBeUndefined();
  });

  test('is nothing at all with a `staleMs` of 0', () => {
    const cache = openStale({ staleMs: 0 });
    cache.put('code', urlOf(1), now());
    expect(cache.findStale('code')).toBeUndefined();
  });

  test('is what was known before announcements were missed, and what a reader brings who began before', () => {
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

  test('is nothing older than an announced version, however late its reader and whatever was missed since', () => {
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

  test('is nothing that was read before many were announced to have changed', () => {
    const cache = openStale();
    cache.put('code', urlOf(1), now());
    pass(1);
    cache.onManyChanges();
    expect(cache.findStale('code')).toBeUndefined();
    pass(1);
    cache.put('code', urlOf(1), now());
    expect(cache.findStale('code')).toEqual(urlOf(1));
  });

  test('is nothing that a later reader no longer found', () => {
    const cache = openStale();
    cache.put('deleted', urlOf(1), now());
    pass(2_000);
    const slowBegan = now();
    pass(1);
    cache.put('deleted', unknown, now());
    cache.put('deleted', urlOf(1), slowBegan);
    expect(cache.findStale('deleted')).toBeUndefined();
  });

  test('is not that a code leads nowhere', () => {
    const cache = openStale();
    cache.put('unknown', unknown, now());
    cache.put('deleted', { version: 2, negative: 'not_found' }, now());
    expect(cache.findStale('unknown')).toBeUndefined();
    expect(cache.findStale('deleted')).toBeUndefined();
  });

  test('makes room for others as ever', () => {
    const cache = openStale({ maxEntries: 2 });
    for (const code of ['one', 'two', 'three']) cache.put(code, urlOf(1), now());
    expect(cache.findStale('one')).toBeUndefined();
    expect(cache.findStale('three')).toEqual(urlOf(1));
    expect(cache.size).toBe(2);
  });
});

const calm = ['begin to read', 'go on', 'go on', 'change', 'delete', 'hear', 'visit'] as const;
const network = ['break', 'notice', 'subscribe', 'hear the reply'] as const;

/** What happens, one thing after the other, to two short URLs. `ms` is how long that takes. */
const stepsOf = (...kinds: ((typeof calm)[number] | (typeof network)[number])[]) =>
  fc.array(
    fc.record({
      kind: fc.constantFrom(...kinds),
      code: fc.constantFrom('code-a', 'code-a', 'code-a', 'code-b'),
      pick: fc.nat(3),
      ms: fc.constantFrom(0, 0, 1, 1, 1, 20, 100, 300, 1_000),
    }),
    { minLength: 10, maxLength: 60, size: 'max' },
  );
const steps = fc.oneof(stepsOf(...calm), stepsOf(...calm, ...calm, ...network));

type Script = ReturnType<(typeof steps)['generate']>['value'];

/** Plays a script over a process cache, a shared cache that takes nothing older than what it has, and a table. A change is
 *  written to the table, later to the shared cache and announced in the same moment; an announcement arrives later, in
 *  order, or is lost with its connection, which is noticed later still.
 *  Fails when the process cache shows what was replaced before an announcement that has arrived; or 250 ms ago, while
 *  announcements are known to be missed; or 2 s ago. */
function play(
  cache: Pick<MemoryCache, 'find' | 'put' | 'invalidate' | 'onConnected' | 'onDisconnected'>,
  script: Script,
) {
  interface Change {
    code: string;
    version: number;
    /** When the shared cache got it. */
    at: number;
    /** Whether the process knew then that it would not hear of it. */
    unheard: boolean;
    arrived: boolean;
  }
  let version = 1;
  const table = new Map<string, CacheEntry>([['code-a', urlOf(version)]]);
  const shared = new Map<string, CacheEntry>();
  const changes: Change[] = [];
  /** What readers and writers under way do next. */
  let underWay: (() => void)[] = [];
  /** Announcements on their way. */
  let arriving: Change[] = [];
  /** Whether Redis sends announcements to the process, and whether the process relies on that. */
  let subscribed = true;
  let relies = true;
  let replyArrives = false;
  cache.onConnected();
  pass(1);

  const later = (step: () => void) => void underWay.push(step);
  const putShared = (code: string, entry: CacheEntry) => {
    const current = shared.get(code);
    if (!current || current.version < entry.version) shared.set(code, entry);
  };
  const readTable = (code: string) => table.get(code) ?? unknown;

  function write(code: string, entry: CacheEntry) {
    table.set(code, entry);
    later(() => {
      putShared(code, entry);
      const change = { code, version: entry.version, at: now(), unheard: !relies, arrived: false };
      changes.push(change);
      if (subscribed) arriving.push(change);
    });
  }

  function read(code: string) {
    const readAt = now();
    later(() => {
      const found = shared.get(code);
      if (found) later(() => cache.put(code, found, readAt));
      else
        later(() => {
          const row = readTable(code);
          later(() => {
            putShared(code, row);
            later(() => cache.put(code, row, readAt));
          });
        });
    });
  }

  function judge(code: string) {
    const entry = cache.find(code);
    if (!entry) return;
    for (const change of changes.filter((one) => one.code === code && one.version > entry.version)) {
      expect(change.arrived, `${entry.version} is found after ${change.version} was announced`).toBe(false);
      expect(now() - change.at).toBeLessThan(!relies || change.unheard ? 250 : 2_000);
    }
  }

  const does: Record<Script[number]['kind'], (step: Script[number]) => void> = {
    'begin to read': ({ code }) => read(code),
    'go on': ({ pick }) => underWay.splice(pick % underWay.length, 1)[0]?.(),
    change: ({ code }) => write(code, urlOf((version += 1))),
    delete: ({ code }) => write(code, { version: (version += 1), negative: 'not_found' }),
    hear: () => {
      const change = arriving.shift();
      if (!change) return;
      change.arrived = true;
      cache.invalidate(change.code, change.version);
    },
    visit: ({ code }) => {
      if (!cache.find(code)) read(code);
    },
    break: () => {
      subscribed = replyArrives = false;
      arriving = [];
    },
    notice: () => {
      if (subscribed || !relies) return;
      relies = false;
      cache.onDisconnected();
    },
    subscribe: () => {
      if (relies || subscribed) return;
      subscribed = replyArrives = true;
    },
    'hear the reply': () => {
      if (!replyArrives) return;
      replyArrives = false;
      relies = true;
      cache.onConnected();
    },
  };

  const judgeBoth = () => ['code-a', 'code-b'].forEach(judge);
  for (const step of script) {
    does[step.kind](step);
    judgeBoth();
    pass(step.ms);
    judgeBoth();
  }
  while (underWay.length > 0) underWay.shift()!();
  judgeBoth();
  pass(2_000);
  judgeBoth();
  for (const code of ['code-a', 'code-b']) {
    read(code);
    while (underWay.length > 0) underWay.shift()!();
    const entry = cache.find(code);
    if (entry) expect(entry).toEqual(readTable(code));
  }
}

type Cache = Parameters<typeof play>[0];

const check = (open: () => Cache, numRuns: number) =>
  fc.check(
    fc.property(steps, (script) => play(open(), script)),
    { numRuns },
  );

describe('whatever readers, writers and the network do', () => {
  test.each([1, 10])('nothing outlives its bounds, with room for %i', (maxEntries) => {
    const result = check(() => openCache({ maxEntries }), 5_000);
    expect(fc.defaultReportMessage(result)).toBeUndefined();
  });

  const naive: Record<string, (real: MemoryCache) => Partial<Cache>> = {
    'deletes what is announced and remembers no version': () => {
      const entries = new Map<string, { entry: EvaluatedEntry; readAt: number }>();
      return {
        find: (code) => {
          const known = entries.get(code);
          return known && now() - known.readAt < 2_000 ? known.entry : undefined;
        },
        put: (code, entry, readAt) => entries.set(code, { entry, readAt }).has(code),
        invalidate: (code) => void entries.delete(code),
        onDisconnected: () => entries.clear(),
        onConnected: () => entries.clear(),
      };
    },
    'counts the age of an entry from when it was put': (real) => ({
      put: (code, entry) => real.put(code, entry, now()),
    }),
    'keeps entries although announcements are missed': () => {
      const real = openCache();
      real.onConnected();
      return { ...real, onDisconnected: () => {}, onConnected: () => {} };
    },
    'hears nothing': () => ({ invalidate: () => {} }),
  };
  test.each(Object.keys(naive))('a cache that %s fails that model', (what) => {
    const open = () => {
      const real = openCache();
      return { ...real, ...naive[what]!(real) };
    };
    expect(check(open, 50_000).failed).toBe(true);
  });
});
