import type { Batch, ClickCount } from '../click-batch.ts';

/** Applied batches of one producer: all up to `appliedThrough`, and those in `outOfOrder`, which are above it. */
export interface LedgerEntry {
  appliedThrough: number;
  outOfOrder: ReadonlySet<number>;
}

/** Whether the batch is already applied. */
export function isApplied(entry: LedgerEntry, seq: number): boolean {
  return seq <= entry.appliedThrough || entry.outOfOrder.has(seq);
}

/** Returns the entry with more applied batches. The watermark rises over each gap that they close. */
export function advance(entry: LedgerEntry, seqs: number[]): LedgerEntry {
  const outOfOrder = new Set([...entry.outOfOrder, ...seqs]);
  let { appliedThrough } = entry;
  while (outOfOrder.delete(appliedThrough + 1)) appliedThrough += 1;
  return { appliedThrough, outOfOrder };
}

export interface Deduplication {
  /** Batches that are not applied yet, each once. */
  newBatches: Batch[];
  /** Clicks of the new batches per short URL. */
  totals: ClickCount[];
  /** Clicks of the new batches, aggregated by short URL, minute and details. */
  aggregated: ClickCount[];
  /** Batches of producers without a ledger entry. */
  removedProducers: Batch[];
  /** Clicks of new batches whose short URL IDs belong to another epoch; not in `totals` and `aggregated`. */
  otherEpoch: Batch[];
  /** Number of batches that are already applied or arrive more than once. */
  duplicates: number;
}

/** Decides which batches are counted: the exactly-once guarantee as a pure function. `ledger` has an entry for each producer
 *  whose batches may be counted. */
export function deduplicate(
  ledger: ReadonlyMap<string, LedgerEntry>,
  batches: Batch[],
  /** Highest short URL ID that is valid for a batch. */
  urlIdLimit: (batch: Batch) => number = () => Infinity,
): Deduplication {
  const removedProducers = batches.filter((batch) => !ledger.has(batch.producer));
  const byIdentity = new Map(
    batches
      .filter((batch) => ledger.has(batch.producer))
      .map((batch) => [`${batch.producer} ${batch.seq}`, batch]),
  );
  const newBatches = [...byIdentity.values()].filter(
    (batch) => !isApplied(ledger.get(batch.producer)!, batch.seq),
  );
  const isValid = (batch: Batch, { urlId }: ClickCount) => urlId <= urlIdLimit(batch);
  const valid = newBatches.flatMap((batch) => batch.clicks.filter((click) => isValid(batch, click)));
  const otherEpoch = newBatches
    .map((batch) => ({ ...batch, clicks: batch.clicks.filter((click) => !isValid(batch, click)) }))
    .filter(({ clicks }) => clicks.length > 0);
  return {
    newBatches,
    totals: aggregate(valid, ({ urlId }) => urlId).map(({ urlId, count, lastAtMs }) => ({
      urlId,
      count,
      lastAtMs,
    })),
    aggregated: aggregate(valid, minuteAndDetailKey),
    otherEpoch,
    removedProducers,
    duplicates: batches.length - removedProducers.length - newBatches.length,
  };
}

function minuteAndDetailKey({ urlId, lastAtMs, detail }: ClickCount): string {
  const minute = Math.floor(lastAtMs / 60_000);
  if (!detail) return `${urlId} ${minute}`;
  const { visitor, country, referrer, browser, os, device, isBot, botKind } = detail;
  return [urlId, minute, visitor, country, referrer, browser, os, device, isBot, botKind].join('\n');
}

/** Merges clicks with the same key. */
function aggregate(clicks: ClickCount[], keyOf: (click: ClickCount) => string | number): ClickCount[] {
  const merged = new Map<string | number, ClickCount>();
  for (const click of clicks) {
    const key = keyOf(click);
    const existing = merged.get(key);
    if (existing) {
      existing.count += click.count;
      existing.lastAtMs = Math.max(existing.lastAtMs, click.lastAtMs);
    } else {
      merged.set(key, { ...click });
    }
  }
  return [...merged.values()];
}
