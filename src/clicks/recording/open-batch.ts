import type { ClickCount } from '../click-batch.ts';
import type { ClickDetail } from '../click-detail.ts';
import { createClickTable } from './aggregate.ts';

const minuteMs = 60_000;

/** How well clicks on one short URL are told apart; what comes last is given up first. */
const precisions = { none: 0, minute: 1, detail: 2, visitor: 3 };

/** Clicks that are still growing together: equal ones merge into one entry, so a viral link costs little. At `maxEntries` it tells
 *  visitors apart no longer, then no details at all, then no minutes; at that many short URLs it drops what is on further ones. */
export function createOpenBatch(maxEntries = Infinity) {
  let precision = precisions.visitor;
  let table = createClickTable(minuteOf);
  let clicks = 0;
  let dropped = 0;

  function minuteOf(atMs: number): number {
    return precision >= precisions.minute ? Math.floor(atMs / minuteMs) : 0;
  }

  /** What is kept of a detail now. */
  function reduce(detail: ClickDetail | undefined): ClickDetail | undefined {
    if (detail === undefined || precision === precisions.visitor) return detail;
    return precision === precisions.detail ? { ...detail, visitor: '' } : undefined;
  }

  function losePrecision(): void {
    precision -= 1;
    const before = table.entries();
    table = createClickTable(minuteOf);
    for (const entry of before) {
      entry.detail = reduce(entry.detail);
      table.merge(entry, maxEntries);
    }
  }

  return {
    add(urlId: number, atMs: number, detail?: ClickDetail): void {
      const click: ClickCount = { urlId, count: 1, lastAtMs: atMs, detail: reduce(detail) };
      let hasRoom = table.merge(click, maxEntries);
      while (!hasRoom && precision > precisions.none) {
        losePrecision();
        click.detail = reduce(click.detail);
        hasRoom = table.merge(click, maxEntries);
      }
      if (hasRoom) clicks += 1;
      else dropped += 1;
    },
    /** Entries, which is what it costs. */
    get distinct() {
      return table.size;
    },
    /** Clicks in it. */
    get clicks() {
      return clicks;
    },
    /** Clicks that found no room. */
    get dropped() {
      return dropped;
    },
    entries: () => table.entries(),
  };
}
