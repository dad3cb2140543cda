/** Which batches of one producer are counted: all up to `appliedThrough`, and those of `outOfOrder`, which are above it. */
export interface LedgerEntry {
  appliedThrough: number;
  outOfOrder: ReadonlySet<number>;
}

/** Whether the ledger has this batch already. */
export function isKnown(entry: LedgerEntry, seq: number): boolean {
  return seq <= entry.appliedThrough || entry.outOfOrder.has(seq);
}

/** The ledger with further batches counted: the watermark moves up over every gap that they close. */
export function advance(entry: LedgerEntry, seqs: number[]): LedgerEntry {
  const outOfOrder = new Set([...entry.outOfOrder, ...seqs]);
  let { appliedThrough } = entry;
  while (outOfOrder.delete(appliedThrough + 1)) appliedThrough += 1;
  return { appliedThrough, outOfOrder };
}
