import { afterEach, beforeEach, vi } from 'vitest';
import type { CacheEntry } from '../../../src/urls/cache/entry.ts';
import { createMemoryCache } from '../../../src/urls/cache/memory-cache.ts';

/** Replaces the clock of `performance.now()` for the tests of a file. */
export function useFakePerformanceClock(): void {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['performance'] });
    pass(1_000);
  });

  afterEach(() => {
    vi.useRealTimers();
  });
}

/** Lets time pass on the fake clock, in milliseconds. */
export const pass = (ms: number) => void vi.advanceTimersByTime(ms);
export const now = () => performance.now();

export const openCache = ({ maxEntries = 1_000, maxBytes = 1_000_000, staleMs = 0 } = {}) =>
  createMemoryCache({ maxEntries, maxBytes, staleMs });

/** A cache that has been connected to the invalidation bus for a while. */
export function openConnected(options?: Parameters<typeof openCache>[0]) {
  const cache = openCache(options);
  cache.onConnected();
  pass(1);
  return cache;
}

export const urlOf = (version: number, originalUrl = `https://example.com/${version}`): CacheEntry => ({
  version,
  url: { id: version, originalUrl, expiresAtMs: null },
});
export const unknown: CacheEntry = { version: 0, negative: 'not_found' };
