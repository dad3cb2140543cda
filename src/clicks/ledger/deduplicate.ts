import { createClickAggregate } from '../aggregate.ts';
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
    totals: sumByUrl(valid),
    aggregated: aggregateByMinute(valid),
    otherEpoch,
    removedProducers,
    duplicates: batches.length - removedProducers.length - newBatches.length,
  };
}

const minuteMs = 60_000;

function aggregateByMinute(clicks: ClickCount[]): ClickCount[] {
  const aggregate = createClickAggregate((atMs) => Math.floor(atMs / minuteMs));
  for (const click of clicks) aggregate.merge({ ...click }, Infinity);
  return aggregate.entries();
}

function sumByUrl(clicks: ClickCount[]): ClickCount[] {
  const totals = new Map<number, ClickCount>();
  for (const { urlId, count, lastAtMs } of clicks) {
    const total = totals.get(urlId);
    if (total === undefined) {
      totals.set(urlId, { urlId, count, lastAtMs });
      continue;
    }
    total.count += count;
    total.lastAtMs = Math.max(total.lastAtMs, lastAtMs);
  }
  return [...totals.values()];
}
