import { createClickAggregate } from '../aggregate.ts';
import type { ClickCount } from '../click-batch.ts';
import type { ClickDetail } from '../click-detail.ts';

const minuteMs = 60_000;

/** Precision of clicks on one short URL; the highest level is given up first. */
const precisions = { none: 0, minute: 1, detail: 2, visitor: 3 };

/** A batch that still accepts clicks. Identical clicks merge into one entry, so a popular short URL costs little
 *  memory. When `maxEntries` is reached, the batch gives up visitor IDs, then details, then minutes. Beyond
 *  `maxEntries` short URLs it drops clicks on further ones. */
export function createOpenBatch(maxEntries = Infinity) {
  let precision = precisions.visitor;
  let aggregate = createClickAggregate(minuteOf);
  let clicks = 0;
  let dropped = 0;

  function minuteOf(atMs: number): number {
    return precision >= precisions.minute ? Math.floor(atMs / minuteMs) : 0;
  }

  /** Reduces a detail to the current precision. */
  function reduceDetail(detail: ClickDetail | undefined): ClickDetail | undefined {
    if (detail === undefined || precision === precisions.visitor) return detail;
    return precision === precisions.detail ? { ...detail, visitor: '' } : undefined;
  }

  function reducePrecision(): void {
    precision -= 1;
    const entries = aggregate.entries();
    aggregate = createClickAggregate(minuteOf);
    for (const entry of entries) {
      entry.detail = reduceDetail(entry.detail);
      aggregate.merge(entry, maxEntries);
    }
  }

  return {
    add(urlId: number, atMs: number, detail?: ClickDetail): void {
      const click: ClickCount = { urlId, count: 1, lastAtMs: atMs, detail: reduceDetail(detail) };
      let hasRoom = aggregate.merge(click, maxEntries);
      while (!hasRoom && precision > precisions.none) {
        reducePrecision();
        click.detail = reduceDetail(click.detail);
        hasRoom = aggregate.merge(click, maxEntries);
      }
      if (hasRoom) clicks += 1;
      else dropped += 1;
    },
    /** Number of entries, which determines the memory usage. */
    get size() {
      return aggregate.size;
    },
    /** Number of clicks in the batch. */
    get clicks() {
      return clicks;
    },
    /** Number of clicks that were dropped because the batch was full. */
    get dropped() {
      return dropped;
    },
    entries: () => aggregate.entries(),
  };
}
