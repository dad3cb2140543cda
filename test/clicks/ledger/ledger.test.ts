import fc from 'fast-check';
import { expect, test } from 'vitest';
import { advance, isApplied, type LedgerEntry } from '../../../src/clicks/ledger/deduplicate.ts';

const nothing: LedgerEntry = { appliedThrough: 0, outOfOrder: new Set() };

/** Counts batches in calls, each of which counts only new ones, like a worker. */
function runCalls(calls: number[][]): { entry: LedgerEntry; counted: number[] } {
  let entry = nothing;
  const counted: number[] = [];
  for (const call of calls) {
    const fresh = [...new Set(call)].filter((seq) => !isApplied(entry, seq));
    counted.push(...fresh);
    entry = advance(entry, fresh);
  }
  return { entry, counted };
}

/** Any order, repetition and partition into calls, with gaps. */
const calls = fc.array(fc.array(fc.integer({ min: 1, max: 25 }), { maxLength: 12 }), { maxLength: 12 });

test('in any order, repetition and partition into calls, each batch is counted exactly once', () => {
  fc.assert(
    fc.property(calls, (given) => {
      const all = new Set(given.flat());
      const { counted, entry } = runCalls(given);
      expect(counted.toSorted((a, b) => a - b)).toEqual([...all].toSorted((a, b) => a - b));
      for (let seq = 1; seq <= 30; seq++) expect(isApplied(entry, seq)).toBe(all.has(seq));
    }),
    { numRuns: 2_000 },
  );
});

test('the watermark is right below the first gap, and only batches above it are listed', () => {
  fc.assert(
    fc.property(calls, (given) => {
      const all = new Set(given.flat());
      const { entry } = runCalls(given);
      let through = 0;
      while (all.has(through + 1)) through += 1;
      expect(entry.appliedThrough).toBe(through);
      expect(entry.outOfOrder).toEqual(new Set([...all].filter((seq) => seq > through)));
    }),
    { numRuns: 2_000 },
  );
});

test('advance does not modify its entry', () => {
  const before: LedgerEntry = { appliedThrough: 2, outOfOrder: new Set([4]) };
  expect(advance(before, [3])).toEqual({ appliedThrough: 4, outOfOrder: new Set() });
  expect(before).toEqual({ appliedThrough: 2, outOfOrder: new Set([4]) });
});
