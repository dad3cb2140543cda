import { type ChangeLog, allCodes } from '../changes/change-log.ts';
import type { UrlStore } from '../store/url-store.ts';
import { encodeEntry } from './codec.ts';
import { type CacheEntry, liftVersion, toCacheEntry } from './entry.ts';
import type { RedisUrlCache } from './redis-cache.ts';

export type RefreshCache = ReturnType<typeof createCacheRefresh>;

/** Updates the cached entries of up to some thousand codes, and of their short URLs' aliases, from the database.
 *  Replaces and publishes older entries, and writes tombstones for removed short URLs; adds no new entries. With
 *  `isExact` it replaces every entry that differs, regardless of versions. Resolves to the number of replaced entries. */
export function createCacheRefresh({
  store,
  changes,
  cache,
}: {
  store: Pick<UrlStore, 'findByCodes' | 'findAliases'>;
  changes: Pick<ChangeLog, 'findRemovals'>;
  cache: Pick<RedisUrlCache, 'findMany' | 'replace' | 'correct' | 'versionFloor'>;
}) {
  /** Tombstones for cached short URLs that the database no longer has. */
  async function tombstonesOf(cached: [string, CacheEntry][]): Promise<[string, CacheEntry][]> {
    const removed = cached.filter(([, entry]) => 'url' in entry);
    if (removed.length === 0) return [];
    const removals = await changes.findRemovals(removed.map(([shortCode]) => shortCode));
    const versionOf = (code: string) => removals.get(code) ?? 0;
    return removed.map(([shortCode, { version }]) => {
      // Without a record of the removal, the tombstone only replaces the cached version.
      const removedVersion = Math.max(version + 1, versionOf(shortCode), versionOf(allCodes));
      return [shortCode, { negative: 'not_found', version: removedVersion }];
    });
  }

  /** Reads the rows of these codes, with versions of the epoch before the read. */
  async function findRows(shortCodes: string[]): Promise<Map<string, CacheEntry>> {
    const floor = cache.versionFloor();
    const urls = await store.findByCodes(shortCodes);
    return new Map(
      urls.map((url) => {
        const entry = toCacheEntry(url);
        return [url.shortCode, { ...entry, version: liftVersion(entry.version, floor) }];
      }),
    );
  }

  async function findCached(shortCodes: string[]): Promise<Map<string, CacheEntry>> {
    const found = shortCodes.length === 0 ? [] : await cache.findMany(shortCodes);
    return new Map(shortCodes.flatMap((code, i) => (found[i] ? [[code, found[i]]] : [])));
  }

  return async function refreshCache(shortCodes: string[], { isExact = false } = {}): Promise<number> {
    // An exact refresh covers every cached code, aliases included.
    const aliases = isExact || shortCodes.length === 0 ? [] : await store.findAliases(shortCodes);
    const cached = await findCached([...shortCodes, ...aliases]);
    if (cached.size === 0) return 0;
    const rows = await findRows([...cached.keys()]);
    const changed = [...rows].filter(([code, { version }]) => version > cached.get(code)!.version);
    const differing = [...rows].filter(
      ([code, entry]) =>
        isExact && entry.version <= cached.get(code)!.version && !isSameEntry(entry, cached.get(code)!),
    );
    const newer = [...changed, ...(await tombstonesOf([...cached].filter(([code]) => !rows.has(code))))];
    await cache.replace(newer);
    const corrected = await cache.correct(
      differing.map(([shortCode, entry]) => ({ shortCode, seen: cached.get(shortCode)!, entry })),
    );
    return newer.length + corrected;
  };
}

/** Whether two entries have the same version and content. */
const isSameEntry = (a: CacheEntry, b: CacheEntry) =>
  a.version === b.version && encodeEntry(a) === encodeEntry(b);
