import { LRUCache } from 'lru-cache';
import { parseUrl } from '../../validation/parse-url.ts';
import { copyOf, toShortText } from '../short-text.ts';

/** Characters of a `Referer` that are looked at: its host is at the beginning. */
const maxLength = 300;
/** Origins that are known by heart, with so many characters in all. */
const knownOrigins = 10_000;
const knownCharacters = 1_000_000;

/** `ios-app://544007664/…` names an app by its number in the App Store, which says nothing without the scheme. */
const appStoreScheme = 'ios-app:';
const appStoreId = /^\d+$/;

export type Referrers = ReturnType<typeof createReferrers>;

/** Reads `Referer` headers. `ownHosts` are this service's host names as the URL parser spells them: who comes from there, like who
 *  types an address, has no referrer. */
export function createReferrers(ownHosts: string[]) {
  const own = new Set(ownHosts);
  const known = new LRUCache<string, string>({
    max: knownOrigins,
    maxSize: knownCharacters,
    sizeCalculation: (_host, origin) => origin.length + 1,
  });

  function readHost(origin: string): string {
    const url = parseUrl(origin);
    // An app has a URL of its own kind; the parser leaves its host as it is.
    const host = url?.hostname.toLowerCase().replace(/\.$/, '') ?? '';
    if (own.has(host)) return '';
    return toShortText(
      url?.protocol === appStoreScheme && appStoreId.test(host) ? `${appStoreScheme}//${host}` : host,
    );
  }

  return {
    /** The host of a header of any length, in lower case; empty where there is none. An app has its package or bundle name, or
     *  `ios-app://` and its number in the App Store. */
    findHost(header: string): string {
      const origin = originOf(header);
      const found = known.get(origin);
      if (found !== undefined) return found;
      const host = readHost(origin);
      known.set(copyOf(origin), copyOf(host));
      return host;
    },
  };
}

/** A URL up to its path, which may hold any number of different things. */
function originOf(url: string): string {
  const host = url.indexOf('//') + 2;
  const end = url.indexOf('/', host);
  return url.slice(0, end === -1 || end > maxLength ? maxLength : end);
}
