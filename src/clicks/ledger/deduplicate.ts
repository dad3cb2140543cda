import type { Batch, ClickCount } from '../click-batch.ts';
import { isKnown, type LedgerEntry } from './ledger.ts';

/** What becomes of batches. */
export interface Account {
  /** Not counted yet, each once. */
  fresh: Batch[];
  /** What the fresh ones add to each short URL, which comes once. */
  totals: ClickCount[];
  /** What they add to the analytics: those that are alike come once for each minute. */
  alike: ClickCount[];
  /** Of producers that the ledger has no entry for. */
  removed: Batch[];
  /** What fresh ones have on short URLs whose ids may name others by now; not in the totals. */
  stray: Batch[];
  /** How many are on the ledger already, or come more than once. */
  known: number;
}

/** Decides which of these batches are counted: the whole of exactly-once, without a table. `ledger` has an entry for each
 *  producer that may be counted. */
export function deduplicate(
  ledger: ReadonlyMap<string, LedgerEntry>,
  batches: Batch[],
  /** Up to which id the clicks of a batch name the short URLs that they were on. */
  urlIdLimit: (batch: Batch) => number = () => Infinity,
): Account {
  const removed = batches.filter((batch) => !ledger.has(batch.producer));
  const byIdentity = new Map(
    batches
      .filter((batch) => ledger.has(batch.producer))
      .map((batch) => [`${batch.producer} ${batch.seq}`, batch]),
  );
  const fresh = [...byIdentity.values()].filter((batch) => !isKnown(ledger.get(batch.producer)!, batch.seq));
  const isSafe = (batch: Batch, { urlId }: ClickCount) => urlId <= urlIdLimit(batch);
  const safe = fresh.map((batch) => ({
    ...batch,
    clicks: batch.clicks.filter((click) => isSafe(batch, click)),
  }));
  const stray = fresh
    .map((batch) => ({ ...batch, clicks: batch.clicks.filter((click) => !isSafe(batch, click)) }))
    .filter(({ clicks }) => clicks.length > 0);
  return {
    fresh,
    totals: totalPerUrl(safe),
    alike: mergeAlike(safe),
    stray,
    removed,
    known: batches.length - removed.length - fresh.length,
  };
}

function totalPerUrl(batches: Batch[]): ClickCount[] {
  return merge(batches, ({ urlId }) => urlId).map(({ urlId, count, lastAtMs }) => ({
    urlId,
    count,
    lastAtMs,
  }));
}

function mergeAlike(batches: Batch[]): ClickCount[] {
  return merge(batches, ({ urlId, lastAtMs, detail }) => {
    const minute = Math.floor(lastAtMs / 60_000);
    if (!detail) return `${urlId} ${minute}`;
    const { visitor, country, referrer, browser, os, device, isBot, botKind } = detail;
    return [urlId, minute, visitor, country, referrer, browser, os, device, isBot, botKind].join('\n');
  });
}

/** The clicks of these batches, those with the same key as one. */
function merge(batches: Batch[], keyOf: (click: ClickCount) => string | number): ClickCount[] {
  const merged = new Map<string | number, ClickCount>();
  for (const click of batches.flatMap((batch) => batch.clicks)) {
    const key = keyOf(click);
    const same = merged.get(key);
    if (same) {
      same.count += click.count;
      same.lastAtMs = Math.max(same.lastAtMs, click.lastAtMs);
    } else {
      merged.set(key, { ...click });
    }
  }
  return [...merged.values()];
}
