import { LRUCache } from 'lru-cache';
import type { Log } from '../log.ts';
import { findUnusableUrl } from './cache/entry.ts';
import type { ShortUrl } from './url.ts';

/** Short URLs whose report is remembered. */
const maxReported = 10_000;
/** External writes can contain any number of them. */
const linesPerMinute = 20;
const minuteMs = 60_000;

/** Counts and logs short URLs with a URL that cannot be a `Location` header, once per version and process. Logs id and
 *  short code, never the URL. */
export function createUnusableUrls(log: Log) {
  const reported = new LRUCache<number, number>({ max: maxReported });
  let count = 0;
  let minute = { begunAt: -Infinity, lines: 0 };

  function mayLog(): boolean {
    const now = performance.now();
    if (now - minute.begunAt >= minuteMs) minute = { begunAt: now, lines: 0 };
    minute.lines += 1;
    return minute.lines <= linesPerMinute;
  }

  return {
    /** The number of such short URLs that were read from the database. */
    get count(): number {
      return count;
    },

    /** Reports a short URL if its URL is unusable. */
    check(url: ShortUrl): void {
      const field = findUnusableUrl(url);
      if (field === undefined || reported.get(url.id) === url.version) return;
      reported.set(url.id, url.version);
      count += 1;
      if (mayLog())
        log.warn(
          { urlId: url.id, shortCode: url.shortCode, field },
          'failed to redirect to a URL that another program stored',
        );
    },
  };
}
