import { LRUCache } from 'lru-cache';
import type { CachedUrl, JudgedEntry } from './entry.ts';

/** How old an entry may be: what was changed is seen within 2 s, whatever happens to messages, on a busy machine too. */
const longestAgeMs = 1_800;
/** The same while no message can arrive. */
const longestDeafAgeMs = 250;
/** What an entry costs besides its texts, about, in bytes. */
const overheadBytes = 200;

interface Held {
  /** Undefined when all that is known is that older versions are wrong. */
  entry: JudgedEntry | undefined;
  version: number;
  /** When it was asked for, on the clock of performance.now(): from then on it may have changed. */
  readAt: number;
  /** When a change of it was announced last, on the same clock. */
  announcedAt: number;
}

export type MemoryCache = ReturnType<typeof createMemoryCache>;

/** The short URLs that this process was asked for lately, bounded in number, bytes and age; where neither store answers they
 *  can be found for `staleMs`. *Invariant:* once a version has been announced, nothing older is found, not even what a slow
 *  reader brings afterwards, nor after announcements were missed for a while; where that was forgotten to make room, it is for
 *  whoever reads anew to find what is right. */
export function createMemoryCache(options: { maxEntries: number; maxBytes: number; staleMs?: number }) {
  const { staleMs = 0 } = options;
  /** What was announced until then may be forgotten: who began to read before may bring what is older. */
  let forgottenAt = -Infinity;
  /** What was read until then may have changed unheard. */
  let unheardUntil = -Infinity;
  /** What was read until then may be what was announced to have changed. */
  let changedUntil = -Infinity;
  const held = new LRUCache<string, Held>({
    max: options.maxEntries,
    maxSize: options.maxBytes,
    sizeCalculation: ({ entry }, shortCode) =>
      overheadBytes + shortCode.length + (entry ? lengthOf(entry) : 0),
    dispose: ({ announcedAt }, _shortCode, reason) => {
      if (reason === 'evict') forgottenAt = Math.max(forgottenAt, announcedAt);
    },
  });
  let ageMs = longestDeafAgeMs;

  function hearFor(longestMs: number) {
    unheardUntil = performance.now();
    ageMs = longestMs;
  }

  return {
    /** What is known of a code, and young enough. */
    find(shortCode: string): JudgedEntry | undefined {
      const known = held.get(shortCode);
      if (known === undefined || known.readAt <= unheardUntil) return undefined;
      return performance.now() - known.readAt < ageMs ? known.entry : undefined;
    },

    /** What was known of a short URL within the last `staleMs`, for when nobody can say more. That a code leads nowhere is not
     *  remembered for so long. */
    findStale(shortCode: string): JudgedEntry | undefined {
      const known = held.get(shortCode);
      if (known?.entry === undefined || 'gone' in known.entry || known.readAt <= changedUntil)
        return undefined;
      return performance.now() - known.readAt < staleMs ? known.entry : undefined;
    },

    /** Keeps what a reader found that began at `readAt`, unless something newer is known. False when something newer was
     *  announced since: who reads again finds that. */
    put(shortCode: string, entry: JudgedEntry, readAt: number): boolean {
      const known = held.get(shortCode);
      const announcedAt = known?.announcedAt ?? -Infinity;
      if (known && known.version > entry.version) {
        // A later reader who finds less, such as no row any more, leaves nobody to vouch for what is known.
        if (readAt > known.readAt) held.set(shortCode, { ...known, entry: undefined, readAt });
        return readAt >= announcedAt;
      }
      if (readAt <= forgottenAt) return true;
      if (known && known.version === entry.version && known.readAt > readAt) return true;
      held.set(shortCode, { entry, version: entry.version, readAt, announcedAt });
      return true;
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

    /** Anything that was read before may have changed. */
    onManyChanges(): void {
      hearFor(ageMs);
      changedUntil = unheardUntil;
    },

    /** Messages arrive, from now on. What was read before may have been changed unheard. */
    onConnected: () => hearFor(longestAgeMs),

    /** Messages may be missed, from now on. */
    onDisconnected: () => hearFor(longestDeafAgeMs),

    /** Entries that are kept. */
    get size() {
      return held.size;
    },
  };
}

function lengthOf(entry: JudgedEntry): number {
  if ('gone' in entry) return 0;
  const { originalUrl, rules }: CachedUrl = 'url' in entry ? entry.url : entry.blocked;
  return originalUrl.length + (rules === undefined ? 0 : overheadBytes + (rules.fallbackUrl?.length ?? 0));
}
