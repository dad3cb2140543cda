import { LRUCache } from 'lru-cache';
import type { CacheEntry } from './cache-entry.ts';

/** How old an entry may be: what was changed is seen within 2 s, whatever happens to messages, on a busy machine too. */
const longestAgeMs = 1_800;
/** The same while no message can arrive. */
const longestDeafAgeMs = 250;
/** What an entry costs besides its texts, about, in bytes. */
const overheadBytes = 200;

interface Held {
  /** Undefined when all that is known is that older versions are wrong. */
  entry: CacheEntry | undefined;
  version: number;
  /** When it was asked for, on the clock of performance.now(): from then on it may have changed. */
  readAt: number;
  /** When a change of it was announced last, on the same clock. */
  announcedAt: number;
}

export type ProcessCache = ReturnType<typeof createProcessCache>;

/** The short URLs that this process was asked for lately, bounded in number, bytes and age. *Invariant:* once a version has been
 *  announced, nothing older is found, not even what a slow reader brings afterwards. */
export function createProcessCache(options: { maxEntries: number; maxBytes: number }) {
  /** What was announced until then may be forgotten: who began to read before may bring what is older. */
  let forgottenAt = -Infinity;
  const held = new LRUCache<string, Held>({
    max: options.maxEntries,
    maxSize: options.maxBytes,
    sizeCalculation: ({ entry }, shortCode) =>
      overheadBytes + shortCode.length + (entry && 'url' in entry ? entry.url.originalUrl.length : 0),
    dispose: ({ announcedAt }, _shortCode, reason) => {
      if (reason === 'evict') forgottenAt = Math.max(forgottenAt, announcedAt);
    },
  });
  let ageMs = longestDeafAgeMs;

  function clear() {
    held.clear();
    forgottenAt = performance.now();
  }

  return {
    /** What is known of a code, and young enough. */
    find(shortCode: string): CacheEntry | undefined {
      const known = held.get(shortCode);
      return known !== undefined && performance.now() - known.readAt < ageMs ? known.entry : undefined;
    },

    /** Keeps what a reader found that began at `readAt`, unless something newer is known. */
    put(shortCode: string, entry: CacheEntry, readAt: number): void {
      if (readAt <= forgottenAt) return;
      const known = held.get(shortCode);
      if (
        known &&
        (known.version > entry.version || (known.version === entry.version && known.readAt > readAt))
      )
        return;
      const announcedAt = known?.announcedAt ?? -Infinity;
      held.set(shortCode, { entry, version: entry.version, readAt, announcedAt });
    },

    /** Forgets what is older than an announced version. */
    invalidate(shortCode: string, version: number): void {
      const known = held.get(shortCode);
      const announcedAt = performance.now();
      if (known && known.version >= version) known.announcedAt = announcedAt;
      else held.set(shortCode, { entry: undefined, version, readAt: -Infinity, announcedAt });
    },

    /** The version of a code that is known here, or was announced: what is older is wrong. 0 when nothing is known. */
    versionOf: (shortCode: string): number => held.peek(shortCode)?.version ?? 0,

    /** Forgets everything. */
    clear,

    /** Messages arrive, from now on. What was kept before may have been changed unheard. */
    onHearing(): void {
      clear();
      ageMs = longestAgeMs;
    },

    /** Messages may be missed, from now on. */
    onDeaf(): void {
      clear();
      ageMs = longestDeafAgeMs;
    },

    /** Entries that are kept. */
    get size() {
      return held.size;
    },
  };
}
