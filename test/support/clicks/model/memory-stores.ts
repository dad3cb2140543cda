import { advance, deduplicate, type LedgerEntry } from '../../../../src/clicks/ledger/deduplicate.ts';
import type { StreamEntry } from '../../../../src/clicks/stream/stream.ts';
import type { Stores } from './stores.ts';

/** In-memory stores for thousands of runs. A transaction is atomic and locks the ledger from the first read; a crash
 *  rolls it back. `without` omits a part of this. */
export function createMemoryStores(without?: 'ledger check' | 'ledger lock'): Stores {
  const urlIds = [1, 2, 3];
  let counters = new Map<number, number>();
  let ledger = new Map<string, LedgerEntry>();
  let turn = Promise.resolve();
  let entries: StreamEntry[] = [];
  let lastId = 0;
  let copy = { entries, lastId };

  async function lockLedger(): Promise<() => void> {
    if (without === 'ledger lock') return () => {};
    const before = turn;
    let release!: () => void;
    turn = new Promise<void>((resolve) => {
      release = resolve;
    });
    await before;
    return release;
  }

  return {
    urlIds,
    stream: {
      send: async (batch) => {
        lastId += 1;
        entries = [...entries, { entryId: `${lastId}-0`, batch, raw: [] }];
        return `${lastId}-0`;
      },
      readPending: async () => entries.slice(0, 4),
      delete: async (_shard, entryIds) => {
        entries = entries.filter(({ entryId }) => !entryIds.includes(entryId));
      },
      length: async () => entries.length,
    },
    apply: async (batches, step) => {
      const release = await lockLedger();
      try {
        await step('read the ledger');
        const before = new Map(ledger);
        for (const { producer } of batches)
          if (!before.has(producer) || without === 'ledger check')
            before.set(producer, { appliedThrough: 0, outOfOrder: new Set() });
        const { newBatches, totals, duplicates } = deduplicate(before, batches);
        await step('add to the counters');
        const counted = new Map(counters);
        for (const { urlId, count } of totals) counted.set(urlId, (counted.get(urlId) ?? 0) + count);
        await step('advance the ledger');
        const after = new Map(ledger);
        for (const { producer, seq } of newBatches)
          after.set(producer, advance(after.get(producer) ?? before.get(producer)!, [seq]));
        await step('commit');
        counters = counted;
        ledger = after;
        return { batches: newBatches.length, clicks: 0, urls: totals.length, duplicates, deadLetters: 0 };
      } finally {
        release();
      }
    },
    findApplied: async (producer, seqs) => {
      const entry = ledger.get(producer);
      return entry ? seqs.filter((seq) => seq <= entry.appliedThrough || entry.outOfOrder.has(seq)) : [];
    },
    readCounts: async () => urlIds.map((id) => counters.get(id) ?? 0),
    redis: {
      // IDs restart in an empty stream, which is worse than in Redis.
      'loses everything': async () => {
        entries = [];
        lastId = 0;
      },
      'is copied': async () => {
        copy = { entries, lastId };
      },
      'is rolled back to the copy': async () => {
        ({ entries, lastId } = copy);
      },
    },
  };
}
