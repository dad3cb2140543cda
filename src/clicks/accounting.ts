import type { Batch, ClickCount } from './click-batch.ts';
import { isKnown, type LedgerEntry } from './ledger.ts';

/** What becomes of batches. */
export interface Account {
  /** Not counted yet, each once. */
  fresh: Batch[];
  /** What the fresh ones add to each short URL, which comes once. */
  totals: ClickCount[];
  /** Of producers that the ledger has no entry for. */
  removed: Batch[];
  /** How many are on the ledger already, or come more than once. */
  known: number;
}

/** Decides which of these batches are counted: the whole of exactly-once, without a table. `ledger` has an entry for each
 *  producer that may be counted. */
export function accountFor(ledger: ReadonlyMap<string, LedgerEntry>, batches: Batch[]): Account {
  const removed = batches.filter((batch) => !ledger.has(batch.producer));
  const byIdentity = new Map(
    batches
      .filter((batch) => ledger.has(batch.producer))
      .map((batch) => [`${batch.producer} ${batch.seq}`, batch]),
  );
  const fresh = [...byIdentity.values()].filter((batch) => !isKnown(ledger.get(batch.producer)!, batch.seq));
  return {
    fresh,
    totals: totalPerUrl(fresh),
    removed,
    known: batches.length - removed.length - fresh.length,
  };
}

function totalPerUrl(batches: Batch[]): ClickCount[] {
  const totals = new Map<number, ClickCount>();
  for (const click of batches.flatMap((batch) => batch.clicks)) {
    const total = totals.get(click.urlId);
    if (total) {
      total.count += click.count;
      total.lastAtMs = Math.max(total.lastAtMs, click.lastAtMs);
    } else {
      totals.set(click.urlId, { ...click });
    }
  }
  return [...totals.values()];
}
