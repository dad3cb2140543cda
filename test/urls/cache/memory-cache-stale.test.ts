import { describe, expect, test } from 'vitest';
import {
  now,
  openConnected,
  pass,
  unknown,
  urlOf,
  useFakePerformanceClock,
} from '../../support/urls/memory-cache.ts';

useFakePerformanceClock();

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
