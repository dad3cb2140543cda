import { describe, expect, test } from 'vitest';
import {
  now,
  openCache,
  openConnected,
  pass,
  unknown,
  urlOf,
  useFakePerformanceClock,
} from '../../support/urls/memory-cache.ts';

useFakePerformanceClock();

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
