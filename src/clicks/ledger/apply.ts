import { type Knex, boundedTransaction } from '../../storage/postgres/postgres.ts';
import { readUrlIdLimits } from '../batch-epochs.ts';
import { type Batch, type ClickCount, countClicks } from '../click-batch.ts';
import { deadLetterBatches, insertDeadLetters, type UnreadableEntry } from './dead-letters.ts';
import { deduplicate } from './deduplicate.ts';
import { addToTotals, advanceLedger, lockLedger } from './ledger-store.ts';
import { createProducerStore } from './producer-store.ts';

export interface ApplyResult {
  /** Batches that this call counted. */
  batches: number;
  /** Clicks in these batches. */
  clicks: number;
  /** Short URLs with such clicks. */
  urls: number;
  /** Batches that were already in the ledger; they changed nothing. */
  duplicates: number;
  /** Entries and batches that could not be counted and became dead letters. */
  deadLetters: number;
}

export type ClickStore = ReturnType<typeof createClickStore>;

/** Adds clicks of existing short URLs to further tables, in the transaction that counts them. The counters of these
 *  short URLs are locked. */
export type Projection = (trx: Knex, clicks: ClickCount[]) => Promise<void>;

/** Updates the counters, the ledger and the tables of the projections in one transaction. */
export function createClickStore(db: Knex, { projections }: { projections: Projection[] }) {
  return {
    ...createProducerStore(db),

    /** Counts each new batch, in one transaction, regardless of sender, repetition and order. Rows are locked in a
     *  fixed order, so concurrent calls wait for each other instead of deadlocking. These become dead letters:
     *  batches of removed producers, which may have been counted before; clicks of an earlier epoch on short URLs
     *  that this database may not have had then; batches of databases and epochs that are no ancestors of this one. */
    async apply(received: Batch[], unreadable: UnreadableEntry[] = []): Promise<ApplyResult> {
      return await boundedTransaction(db, async (trx) => {
        await insertDeadLetters(trx, 'unreadable', unreadable);
        const limitOf = await readUrlIdLimits(trx);
        const batches = received.filter((batch) => limitOf(batch) !== undefined);
        const unknownEpoch = received.filter((batch) => limitOf(batch) === undefined);
        const ledger = await lockLedger(trx, batches);
        const { newBatches, totals, aggregated, removedProducers, otherEpoch, duplicates } = deduplicate(
          ledger,
          batches,
          (batch) => limitOf(batch)!,
        );
        await deadLetterBatches(trx, unknownEpoch, 'another database epoch');
        await deadLetterBatches(trx, otherEpoch, 'short URL of another database epoch');
        const lateClicks = await deadLetterBatches(trx, removedProducers, 'producer removed');
        const countedUrls = await addToCounters(trx, totals);
        const onExistingUrls = aggregated.filter(({ urlId }) => countedUrls.has(urlId));
        for (const project of projections) await project(trx, onExistingUrls);
        await advanceLedger(trx, ledger, newBatches);
        const purged = totals.filter(({ urlId }) => !countedUrls.has(urlId));
        await addToTotals(trx, { purged: sumOf(purged) + countClicks(otherEpoch), late: lateClicks });
        return {
          batches: newBatches.length,
          clicks: countClicks(newBatches) - countClicks(otherEpoch),
          urls: totals.length,
          duplicates,
          deadLetters: unreadable.length + removedProducers.length + unknownEpoch.length + otherEpoch.length,
        };
      });
    },
  };
}

/** Adds to the counters and to the analytics' click totals, and locks these rows until the transaction ends. Resolves
 *  to the existing short URLs; the others are purged. */
async function addToCounters(trx: Knex, totals: ClickCount[]): Promise<Set<number>> {
  if (totals.length === 0) return new Set();
  const { rows } = await trx.raw<{ rows: { url_id: number }[] }>(
    `with locked as materialized (
       select url_id from url_stats where url_id = any(cast(:urlIds as bigint[])) order by url_id for update
     )
     update url_stats s
     set click_count = s.click_count + total.clicks, analytics_clicks = s.analytics_clicks + total.clicks,
         last_accessed_at = greatest(s.last_accessed_at, to_timestamp(total.last_at_ms / 1000.0))
     from locked
     join unnest(cast(:urlIds as bigint[]), cast(:clicks as bigint[]), cast(:lastAtMs as bigint[]))
       as total (url_id, clicks, last_at_ms) on total.url_id = locked.url_id
     where s.url_id = locked.url_id
     returning s.url_id`,
    {
      urlIds: totals.map((total) => total.urlId),
      clicks: totals.map((total) => total.count),
      lastAtMs: totals.map((total) => total.lastAtMs),
    },
  );
  return new Set(rows.map((row) => row.url_id));
}

const sumOf = (totals: ClickCount[]) => totals.reduce((sum, { count }) => sum + count, 0);
