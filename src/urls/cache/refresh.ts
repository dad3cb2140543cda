import { type ChangeStore, everyCode } from '../changes/change-log.ts';
import type { UrlStore } from '../store/url-store.ts';
import { encodeEntry } from './codec.ts';
import { type CacheEntry, liftVersion, toCacheEntry } from './entry.ts';
import type { RedisUrlCache } from './redis-cache.ts';

export type RefreshCache = ReturnType<typeof createCacheRefresh>;

/** Brings what the cache holds of given codes, some thousands at most, and of the old codes of their short URLs, up to date with the table: what is older there is
 *  replaced, by a tombstone where the short URL is gone, and announced; what it does not hold stays out. With `isExact` it
 *  replaces whatever differs from the table, whatever the versions say. Resolves to how many were replaced. */
export function createCacheRefresh({
  store,
  changes,
  cache,
}: {
  store: Pick<UrlStore, 'findByCodes' | 'findAliases'>;
  changes: Pick<ChangeStore, 'findRemovals'>;
  cache: Pick<RedisUrlCache, 'findMany' | 'replace' | 'correct' | 'versionFloor'>;
}) {
  /** Tombstones for what the cache leads to and the table does not have. */
  async function buryRemoved(held: [string, CacheEntry][]): Promise<[string, CacheEntry][]> {
    const gone = held.filter(([, entry]) => 'url' in entry);
    if (gone.length === 0) return [];
    const removals = await changes.findRemovals(gone.map(([shortCode]) => shortCode));
    const versionOf = (code: string) => removals.get(code) ?? 0;
    return gone.map(([shortCode, { version }]) => {
      // A removal that nobody remembers leaves the version that is known to be gone.
      const removed = Math.max(version + 1, versionOf(shortCode), versionOf(everyCode));
      return [shortCode, { gone: 'not found', version: removed }];
    });
  }

  /** The rows of these short codes, with versions of the epoch that was current before the read. */
  async function findInTable(shortCodes: string[]): Promise<Map<string, CacheEntry>> {
    const floor = cache.versionFloor();
    const urls = await store.findByCodes(shortCodes);
    return new Map(
      urls.map((url) => {
        const entry = toCacheEntry(url);
        return [url.shortCode, { ...entry, version: liftVersion(entry.version, floor) }];
      }),
    );
  }

  async function findHeld(shortCodes: string[]): Promise<Map<string, CacheEntry>> {
    const found = shortCodes.length === 0 ? [] : await cache.findMany(shortCodes);
    return new Map(shortCodes.flatMap((code, i) => (found[i] ? [[code, found[i]]] : [])));
  }

  return async function refreshCache(shortCodes: string[], { isExact = false } = {}): Promise<number> {
    // What is exact looks at every code of the cache anyway.
    const aliases = isExact || shortCodes.length === 0 ? [] : await store.findAliases(shortCodes);
    const held = await findHeld([...shortCodes, ...aliases]);
    if (held.size === 0) return 0;
    const table = await findInTable([...held.keys()]);
    const changed = [...table].filter(([code, { version }]) => version > held.get(code)!.version);
    const differing = [...table].filter(
      ([code, entry]) =>
        isExact && entry.version <= held.get(code)!.version && !isSameEntry(entry, held.get(code)!),
    );
    const newer = [...changed, ...(await buryRemoved([...held].filter(([code]) => !table.has(code))))];
    await cache.replace(newer);
    const corrected = await cache.correct(
      differing.map(([shortCode, entry]) => ({ shortCode, seen: held.get(shortCode)!, entry })),
    );
    return newer.length + corrected;
  };
}

/** Whether two entries say the same in the same version. */
const isSameEntry = (a: CacheEntry, b: CacheEntry) =>
  a.version === b.version && encodeEntry(a) === encodeEntry(b);
