import { describe, expect, test } from 'vitest';
import { now, openConnected, pass, urlOf, useFakePerformanceClock } from '../../support/urls/memory-cache.ts';

useFakePerformanceClock();

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
