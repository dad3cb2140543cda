import { type Knex, boundedTransaction } from '../../storage/postgres/postgres.ts';
import { readUrlIdLimits } from '../batch-epochs.ts';
import { type Batch, type ClickCount, countClicks } from '../click-batch.ts';
import { quarantine, deadLetterBatches, type Unreadable } from './dead-letters.ts';
import { deduplicate } from './deduplicate.ts';
import { addToTotals, advanceLedger, lockLedger } from './ledger-store.ts';
import { createProducerStore } from './producer-store.ts';

export interface Applied {
  /** Batches that were counted now. */
  batches: number;
  /** Their clicks. */
  clicks: number;
  /** The short URLs that they were on. */
  urls: number;
  /** Batches that the ledger knew already; they changed nothing. */
  known: number;
  /** What could not be counted and is kept to be looked at. */
  quarantined: number;
}

export type ClickStore = ReturnType<typeof createClickStore>;

/** Adds clicks of short URLs that exist to tables of its own, within the transaction that counts them. The counters of these short
 *  URLs are locked. */
export type Projection = (trx: Knex, clicks: ClickCount[]) => Promise<void>;

/** Counters, ledger and the tables of the projections, which only ever change together. */
export function createClickStore(db: Knex, { projections }: { projections: Projection[] }) {
  return {
    ...createProducerStore(db),

    /** Counts each batch that was not counted before, whoever sent it, however often, in whatever order; one transaction.
     *  Rows are locked in order, so two that run at once wait for each other instead of deadlocking. Batches of a producer
     *  that was removed from the ledger become dead letters: they may have been counted before. So do clicks of an earlier
     *  epoch on short URLs that this database may not have had then, and batches of databases that it does not descend from. */
    async apply(arrived: Batch[], unreadable: Unreadable[] = []): Promise<Applied> {
      return await boundedTransaction(db, async (trx) => {
        await quarantine(trx, 'unreadable', unreadable);
        const limitOf = await readUrlIdLimits(trx);
        const batches = arrived.filter((batch) => limitOf(batch) !== undefined);
        const foreign = arrived.filter((batch) => limitOf(batch) === undefined);
        const ledger = await lockLedger(trx, batches);
        const { fresh, totals, alike, removed, stray, known } = deduplicate(ledger, batches, (batch) =>
          limitOf(batch)!,
        );
        await deadLetterBatches(trx, foreign, 'another database epoch');
        await deadLetterBatches(trx, stray, 'short URL of another database epoch');
        const late = await deadLetterBatches(trx, removed, 'producer removed');
        const counted = await addToCounters(trx, totals);
        const ofUrls = alike.filter(({ urlId }) => counted.has(urlId));
        for (const project of projections) await project(trx, ofUrls);
        await advanceLedger(trx, ledger, fresh);
        const purged = totals.filter(({ urlId }) => !counted.has(urlId));
        await addToTotals(trx, { purged: sumOf(purged) + countClicks(stray), late });
        return {
          batches: fresh.length,
          clicks: countClicks(fresh) - countClicks(stray),
          urls: totals.length,
          known,
          quarantined: unreadable.length + removed.length + foreign.length + stray.length,
        };
      });
    },
  };
}

/** Adds to the counters, whose rows are locked until the transaction ends, and which say how many clicks the analytics have;
 *  resolves to the short URLs that are there: others are purged by now. */
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
