import type { ClickCount } from './click-batch.ts';
import type { ClickDetail } from './click-detail.ts';

const minuteMs = 60_000;

/** How well clicks on one short URL are told apart; what comes last is given up first. */
const precisions = { none: 0, minute: 1, detail: 2, visitor: 3 };

/** Clicks that are still growing together: equal ones merge into one entry, so a viral link costs little. At `maxEntries` it tells
 *  visitors apart no longer, then no details at all, then no minutes; at that many short URLs it drops what is on further ones. */
export function createOpenBatch(maxEntries = Infinity) {
  let entries = new Map<number | string, ClickCount>();
  let precision = precisions.visitor;
  let clicks = 0;
  let dropped = 0;
  /** Most batches live within one minute, and the id alone is the cheaper key. */
  let firstMinute: number | undefined;

  function keyOf(urlId: number, atMs: number, detail: ClickDetail | undefined): number | string {
    const minute = precision < precisions.minute ? undefined : Math.floor(atMs / minuteMs);
    firstMinute ??= minute;
    const key = minute === undefined || minute === firstMinute ? urlId : `${urlId} ${minute}`;
    if (detail === undefined) return key;
    const { visitor, country, referrer, browser, os, device, isBot } = detail;
    return `${key}\n${visitor}\n${country}\n${referrer}\n${browser}\n${os}\n${device}\n${isBot}`;
  }

  /** What is kept of a detail now. */
  function reduce(detail: ClickDetail | undefined): ClickDetail | undefined {
    if (detail === undefined || precision === precisions.visitor) return detail;
    return precision === precisions.detail ? { ...detail, visitor: '' } : undefined;
  }

  /** False where there is no room. */
  function merge({ urlId, count, lastAtMs, detail }: ClickCount): boolean {
    const kept = reduce(detail);
    const key = keyOf(urlId, lastAtMs, kept);
    const entry = entries.get(key);
    if (entry) {
      entry.count += count;
      if (lastAtMs > entry.lastAtMs) entry.lastAtMs = lastAtMs;
    } else if (entries.size < maxEntries) {
      entries.set(key, kept ? { urlId, count, lastAtMs, detail: kept } : { urlId, count, lastAtMs });
    } else {
      return false;
    }
    return true;
  }

  function losePrecision(): void {
    precision -= 1;
    const before = entries.values();
    entries = new Map();
    for (const entry of before) merge(entry);
  }

  return {
    add(urlId: number, atMs: number, detail?: ClickDetail): void {
      const click = { urlId, count: 1, lastAtMs: atMs, detail };
      let hasRoom = merge(click);
      while (!hasRoom && precision > precisions.none) {
        losePrecision();
        hasRoom = merge(click);
      }
      if (hasRoom) clicks += 1;
      else dropped += 1;
    },
    /** Entries, which is what it costs. */
    get distinct() {
      return entries.size;
    },
    /** Clicks in it. */
    get clicks() {
      return clicks;
    },
    /** Clicks that found no room. */
    get dropped() {
      return dropped;
    },
    entries: () => [...entries.values()],
  };
}
