import { LRUCache } from 'lru-cache';
import { parseUrl } from '../../validation/parse-url.ts';
import { copyOf, toShortText } from '../short-text.ts';

/** Characters of a `Referer` that are parsed; the host is at the beginning. */
const maxLength = 300;
/** Limits of the cache of parsed origins: entries, and characters in total. */
const cachedOrigins = 10_000;
const cachedCharacters = 1_000_000;

/** `ios-app://544007664/…` identifies an app by its App Store number, which is meaningless without the scheme. */
const appStoreScheme = 'ios-app:';
const appStoreId = /^\d+$/;

export type Referrers = ReturnType<typeof createReferrers>;

/** Parses `Referer` headers. `ownHosts` are this service's host names in the URL parser's spelling: a visit from them
 *  has no referrer, like a typed address. */
export function createReferrers(ownHosts: string[]) {
  const own = new Set(ownHosts);
  const cache = new LRUCache<string, string>({
    max: cachedOrigins,
    maxSize: cachedCharacters,
    sizeCalculation: (_host, origin) => origin.length + 1,
  });

  function readHost(origin: string): string {
    const url = parseUrl(origin);
    // Apps use their own URL schemes; the parser leaves such hosts unchanged.
    const host = url?.hostname.toLowerCase().replace(/\.$/, '') ?? '';
    if (own.has(host)) return '';
    return toShortText(
      url?.protocol === appStoreScheme && appStoreId.test(host) ? `${appStoreScheme}//${host}` : host,
    );
  }

  return {
    /** Returns the host of a header of any length in lower case, or '' when there is none. Apps yield their package
     *  or bundle name, or `ios-app://` and their App Store number. */
    findHost(header: string): string {
      const origin = originOf(header);
      const cached = cache.get(origin);
      if (cached !== undefined) return cached;
      const host = readHost(origin);
      cache.set(copyOf(origin), copyOf(host));
      return host;
    },
  };
}

/** Returns a URL up to its path; paths are unbounded and would fill the cache. */
function originOf(url: string): string {
  const host = url.indexOf('//') + 2;
  const end = url.indexOf('/', host);
  return url.slice(0, end === -1 || end > maxLength ? maxLength : end);
}
