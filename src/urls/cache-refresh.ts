import { type CacheEntry, toCacheEntry } from './cache-entry.ts';
import { type ChangeStore, everyCode } from './change-store.ts';
import type { UrlCache } from './url-cache.ts';
import type { UrlStore } from './url-store.ts';

export type RefreshCache = ReturnType<typeof createCacheRefresh>;

/** Brings what the cache holds of given codes, some thousands at most, up to date with the table: what is older there is
 *  replaced, by a tombstone where the short URL is gone, and announced; what it does not hold stays out. Resolves to how
 *  many were replaced. */
export function createCacheRefresh({
  store,
  changes,
  cache,
}: {
  store: Pick<UrlStore, 'findByCodes'>;
  changes: Pick<ChangeStore, 'findRemovals'>;
  cache: Pick<UrlCache, 'findMany' | 'replace'>;
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

  return async function refreshCache(shortCodes: string[]): Promise<number> {
    if (shortCodes.length === 0) return 0;
    const found = await cache.findMany(shortCodes);
    const held = new Map(shortCodes.flatMap((code, i) => (found[i] ? [[code, found[i]]] : [])));
    if (held.size === 0) return 0;
    const urls = await store.findByCodes([...held.keys()]);
    const changed = urls.filter(({ shortCode, version }) => version > held.get(shortCode)!.version);
    for (const { shortCode } of urls) held.delete(shortCode);
    const newer: [string, CacheEntry][] = [
      ...changed.map((url): [string, CacheEntry] => [url.shortCode, toCacheEntry(url)]),
      ...(await buryRemoved([...held])),
    ];
    await cache.replace(newer);
    return newer.length;
  };
}
