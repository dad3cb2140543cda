import type { Knex } from '../../storage/postgres/postgres.ts';
import { type Batch, countClicks } from '../click-batch.ts';
import { advance, type LedgerEntry } from './deduplicate.ts';
import { insertProducers } from './producer-store.ts';

/** Out-of-order sequence numbers per page. */
const pageSize = 1_000;

/** Locks the ledger rows of the batches' producers until the transaction ends, and inserts rows for new producers. A
 *  producer that was removed as idle has no entry: its batches may have been counted before. Reads only the
 *  out-of-order numbers of these batches, because a gap can leave many behind it. */
export async function lockLedger(trx: Knex, batches: Batch[]): Promise<Map<string, LedgerEntry>> {
  const producers = producersOf(batches);
  if (producers.length === 0) return new Map();
  await insertProducers(trx, producers);
  const locked = await trx.raw<{ rows: { producer: string; applied_through: number }[] }>(
    `select producer, applied_through from click_producers where producer = any(cast(:producers as uuid[]))
     order by producer for update`,
    { producers },
  );
  const appliedAhead = await trx.raw<{ rows: OutOfOrder[] }>(
    `select producer, array_agg(seq) as seqs from click_out_of_order_batches
     where (producer, seq) in (select * from unnest(cast(:producers as uuid[]), cast(:seqs as bigint[])))
     group by producer`,
    { producers: batches.map((batch) => batch.producer), seqs: batches.map((batch) => batch.seq) },
  );
  const outOfOrder = toSets(appliedAhead.rows);
  return new Map(
    locked.rows.map(({ producer, applied_through }) => [
      producer,
      { appliedThrough: applied_through, outOfOrder: outOfOrder.get(producer) ?? new Set<number>() },
    ]),
  );
}

/** Marks new batches as applied in the locked `ledger`, and adds their clicks to the producers' totals. */
export async function advanceLedger(
  trx: Knex,
  ledger: Map<string, LedgerEntry>,
  newBatches: Batch[],
): Promise<void> {
  if (newBatches.length === 0) return;
  const rows: ({ producer: string; batches: Batch[] } & Awaited<ReturnType<typeof advanceWatermark>>)[] = [];
  for (const producer of producersOf(newBatches)) {
    const batches = newBatches.filter((batch) => batch.producer === producer);
    const seqs = batches.map((batch) => batch.seq);
    const after = await advanceWatermark(trx, producer, ledger.get(producer)!.appliedThrough, seqs);
    rows.push({ producer, batches, ...after });
  }
  await trx.raw(
    `update click_producers p
     set applied_through = row.applied_through, batches = p.batches + row.batches, clicks = p.clicks + row.clicks,
         accepted = greatest(p.accepted, row.accepted), last_applied_at = now()
     from unnest(cast(:producers as uuid[]), cast(:through as bigint[]), cast(:batches as bigint[]),
                 cast(:clicks as bigint[]), cast(:accepted as bigint[]))
       as row (producer, applied_through, batches, clicks, accepted)
     where p.producer = row.producer`,
    {
      producers: rows.map((row) => row.producer),
      through: rows.map((row) => row.appliedThrough),
      batches: rows.map((row) => row.batches.length),
      clicks: rows.map((row) => countClicks(row.batches)),
      accepted: rows.map((row) => Math.max(...row.batches.map((batch) => batch.accepted))),
    },
  );
  await trx.raw(
    `delete from click_out_of_order_batches o using click_producers p
     where o.producer = p.producer and p.producer = any(cast(:producers as uuid[])) and o.seq <= p.applied_through`,
    { producers: rows.map((row) => row.producer) },
  );
  const added = rows.flatMap(({ producer, outOfOrder }) => outOfOrder.map((seq) => ({ producer, seq })));
  if (added.length === 0) return;
  await trx.raw(
    `insert into click_out_of_order_batches (producer, seq) select * from unnest(cast(:producers as uuid[]), cast(:seqs as bigint[]))`,
    { producers: added.map((row) => row.producer), seqs: added.map((row) => row.seq) },
  );
}

/** Adds to the totals of the audit: `purged` clicks belong to no short URL any more; `late` clicks were accepted and
 *  are not counted. Every transaction locks this single row last. */
export async function addToTotals(trx: Knex, clicks: { purged: number; late: number }): Promise<void> {
  if (clicks.purged === 0 && clicks.late === 0) return;
  await trx.raw(
    'update click_ledger_totals set purged_clicks = purged_clicks + :purged, removed_accepted = removed_accepted + :late',
    clicks,
  );
}

interface OutOfOrder {
  producer: string;
  seqs: string[];
}

/** Returns the new watermark, and the batches that stay above it. Reads out-of-order numbers only up to the first
 *  gap, because hundreds of thousands may follow it. */
async function advanceWatermark(trx: Knex, producer: string, appliedThrough: number, seqs: number[]) {
  let entry = advance({ appliedThrough, outOfOrder: new Set() }, seqs);
  for (let more = entry.appliedThrough > appliedThrough; more;) {
    const { rows } = await trx.raw<{ rows: { seq: number }[] }>(
      `select seq from click_out_of_order_batches where producer = :producer and seq > :through order by seq limit :limit`,
      { producer, through: entry.appliedThrough, limit: pageSize },
    );
    const last = rows.at(-1)?.seq ?? 0;
    const next = advance(
      entry,
      rows.map((row) => row.seq),
    );
    more = rows.length === pageSize && next.appliedThrough >= last;
    entry = next;
  }
  return {
    appliedThrough: entry.appliedThrough,
    outOfOrder: seqs.filter((seq) => seq > entry.appliedThrough),
  };
}

const producersOf = (batches: Batch[]) => [...new Set(batches.map((batch) => batch.producer))];
const toSets = (rows: OutOfOrder[]) =>
  new Map(rows.map((row) => [row.producer, new Set(row.seqs.map(Number))]));
