import { LRUCache } from 'lru-cache';
import type { CachedUrl, EvaluatedEntry } from './entry.ts';

/** Maximum age of an entry: below the promised 2 s with a margin for a busy machine, even if messages are lost. */
const maxAgeMs = 1_800;
/** The same while the invalidation bus is disconnected. */
const maxDisconnectedAgeMs = 250;
/** Approximate size of an entry without its strings, in bytes. */
const overheadBytes = 200;

interface MemoryEntry {
  /** Undefined if only the invalidation of older versions is known. */
  entry: EvaluatedEntry | undefined;
  version: number;
  /** When the read began, on the clock of performance.now(): the short URL may have changed since. */
  readAt: number;
  /** When an invalidation last arrived, on the same clock. */
  publishedAt: number;
}

export type MemoryCache = ReturnType<typeof createMemoryCache>;

/** The L1 cache: recently requested short URLs, bounded by number, bytes and age. If no store answers, entries can be
 *  used for `staleMs`. *Invariant:* after an invalidation, no older version is returned, not even one that a slow
 *  reader puts afterwards or that was missed while disconnected. An evicted invalidation is replaced by `evictedAt`,
 *  which rejects earlier reads. */
export function createMemoryCache(options: { maxEntries: number; maxBytes: number; staleMs?: number }) {
  const { staleMs = 0 } = options;
  /** Invalidations up to this time may be evicted: reads that began earlier may carry older versions. */
  let evictedAt = -Infinity;
  /** Reads up to this time may have missed an invalidation. */
  let missedUntil = -Infinity;
  /** Reads up to this time may be affected by a change of unknown short URLs. */
  let changedUntil = -Infinity;
  const entries = new LRUCache<string, MemoryEntry>({
    max: options.maxEntries,
    maxSize: options.maxBytes,
    sizeCalculation: ({ entry }, shortCode) =>
      overheadBytes + shortCode.length + (entry ? lengthOf(entry) : 0),
    dispose: ({ publishedAt }, _shortCode, reason) => {
      if (reason === 'evict') evictedAt = Math.max(evictedAt, publishedAt);
    },
  });
  let ageMs = maxDisconnectedAgeMs;

  function restartWithMaxAge(maxMs: number) {
    missedUntil = performance.now();
    ageMs = maxMs;
  }

  return {
    /** Returns the entry of a code if it is fresh. */
    find(shortCode: string): EvaluatedEntry | undefined {
      const current = entries.get(shortCode);
      if (current === undefined || current.readAt <= missedUntil) return undefined;
      return performance.now() - current.readAt < ageMs ? current.entry : undefined;
    },

    /** Returns a positive entry up to `staleMs` old, for use when no store answers (stale-if-error). */
    findStale(shortCode: string): EvaluatedEntry | undefined {
      const current = entries.get(shortCode);
      if (current?.entry === undefined || 'negative' in current.entry || current.readAt <= changedUntil)
        return undefined;
      return performance.now() - current.readAt < staleMs ? current.entry : undefined;
    },

    /** Stores the result of a read that began at `readAt`, unless a newer version is known. False if a newer version
     *  was published since the read began: the caller must read again. */
    put(shortCode: string, entry: EvaluatedEntry, readAt: number): boolean {
      const current = entries.get(shortCode);
      const publishedAt = current?.publishedAt ?? -Infinity;
      if (current && current.version > entry.version) {
        // A later read found an older version, such as no row: the known entry is unconfirmed.
        if (readAt > current.readAt) entries.set(shortCode, { ...current, entry: undefined, readAt });
        return readAt >= publishedAt;
      }
      if (readAt <= evictedAt) return true;
      if (current && current.version === entry.version && current.readAt > readAt) return true;
      entries.set(shortCode, { entry, version: entry.version, readAt, publishedAt });
      return true;
    },

    /** Invalidates versions older than a published one. */
    invalidate(shortCode: string, version: number): void {
      const current = entries.get(shortCode);
      const publishedAt = performance.now();
      if (current && current.version >= version) current.publishedAt = publishedAt;
      else entries.set(shortCode, { entry: undefined, version, readAt: -Infinity, publishedAt });
    },

    /** The highest version of a code that was read or published here; older versions are invalid. 0 if none is known. */
    versionOf: (shortCode: string): number => entries.peek(shortCode)?.version ?? 0,

    /** Invalidates everything that was read before: any short URL may have changed. */
    onManyChanges(): void {
      restartWithMaxAge(ageMs);
      changedUntil = missedUntil;
    },

    /** Invalidations arrive from now on; earlier ones may have been missed. */
    onConnected: () => restartWithMaxAge(maxAgeMs),

    /** Invalidations may be missed from now on. */
    onDisconnected: () => restartWithMaxAge(maxDisconnectedAgeMs),

    /** The number of entries. */
    get size() {
      return entries.size;
    },
  };
}

function lengthOf(entry: EvaluatedEntry): number {
  if ('negative' in entry) return 0;
  const { originalUrl, rules }: CachedUrl = 'url' in entry ? entry.url : entry.blocked;
  return originalUrl.length + (rules === undefined ? 0 : overheadBytes + (rules.fallbackUrl?.length ?? 0));
}
