import type { Knex } from 'knex';
import type { Batch, ClickCount } from './click-batch.ts';
import { advance, isKnown, type LedgerEntry } from './ledger.ts';

/** What came by the stream and is no batch; `source` names it, so that it is kept once. */
export interface Unreadable {
  source: string;
  payload: string;
}

export interface Applied {
  /** Batches that were counted now. */
  batches: number;
  /** Their clicks. */
  clicks: number;
  /** The short URLs that they were on. */
  urls: number;
  /** Batches that the ledger knew already; they changed nothing. */
  known: number;
}

export type ClickStore = ReturnType<typeof createClickStore>;

/** Counters and ledger, which only ever change together. */
export function createClickStore(db: Knex) {
  return {
    /** Which of these batches of a producer are counted. */
    async findApplied(producer: string, seqs: number[]): Promise<number[]> {
      const { rows } = await db.raw<{ rows: { seq: number }[] }>(
        `select batch.seq from unnest(cast(:seqs as bigint[])) as batch (seq)
         where exists (
           select from click_producers p where p.producer = :producer and batch.seq <= p.applied_through
         ) or exists (
           select from click_ooo o where o.producer = :producer and o.seq = batch.seq
         )`,
        { producer, seqs },
      );
      return rows.map((row) => row.seq);
    },

    /** Counts each batch that was not counted before, whoever sent it, however often, in whatever order; one transaction.
     *  Rows are locked in order, so two that run at once wait for each other instead of deadlocking. */
    async apply(batches: Batch[], unreadable: Unreadable[] = []): Promise<Applied> {
      return await db.transaction(async (trx) => {
        await quarantine(trx, unreadable);
        const ledger = await lockLedger(trx, batches);
        const fresh = selectFresh(ledger, batches);
        const totals = totalPerUrl(fresh);
        await addToCounters(trx, totals);
        await advanceLedger(trx, ledger, fresh);
        return {
          batches: fresh.length,
          clicks: sum(fresh.map(countClicks)),
          urls: totals.length,
          known: batches.length - fresh.length,
        };
      });
    },
  };
}

async function quarantine(trx: Knex, unreadable: Unreadable[]): Promise<void> {
  if (unreadable.length === 0) return;
  await trx.raw(
    `insert into click_quarantine (source, reason, payload)
     select source, 'unreadable', payload
     from unnest(cast(:sources as text[]), cast(:payloads as text[])) as entry (source, payload)
     on conflict (source) do nothing`,
    { sources: unreadable.map((entry) => entry.source), payloads: unreadable.map((entry) => entry.payload) },
  );
}

/** The ledger's rows of the batches' producers, locked until the transaction ends; new producers get one. Of the batches
 *  out of order only those are read that are asked for: there may be many after a gap. */
async function lockLedger(trx: Knex, batches: Batch[]): Promise<Map<string, LedgerEntry>> {
  if (batches.length === 0) return new Map();
  const producers = [...new Set(batches.map((batch) => batch.producer))];
  await trx.raw(
    `insert into click_producers (producer)
     select * from unnest(cast(:producers as uuid[])) order by 1 on conflict do nothing`,
    { producers },
  );
  const locked = await trx.raw<{ rows: { producer: string; applied_through: number }[] }>(
    `select producer, applied_through from click_producers where producer = any(cast(:producers as uuid[]))
     order by producer for update`,
    { producers },
  );
  const known = await trx.raw<{ rows: OutOfOrder[] }>(
    `select producer, array_agg(seq) as seqs from click_ooo
     where (producer, seq) in (select * from unnest(cast(:producers as uuid[]), cast(:seqs as bigint[])))
     group by producer`,
    { producers: batches.map((batch) => batch.producer), seqs: batches.map((batch) => batch.seq) },
  );
  return toLedger(locked.rows, known.rows);
}

interface OutOfOrder {
  producer: string;
  seqs: string[];
}

function toLedger(
  rows: { producer: string; applied_through: number }[],
  outOfOrder: OutOfOrder[],
): Map<string, LedgerEntry> {
  const seqs = toSets(outOfOrder);
  return new Map(
    rows.map(({ producer, applied_through }) => [
      producer,
      { appliedThrough: applied_through, outOfOrder: seqs.get(producer) ?? new Set<number>() },
    ]),
  );
}

/** The batches that are not counted yet, each once. */
function selectFresh(ledger: Map<string, LedgerEntry>, batches: Batch[]): Batch[] {
  const byIdentity = new Map(batches.map((batch) => [`${batch.producer} ${batch.seq}`, batch]));
  return [...byIdentity.values()].filter((batch) => !isKnown(ledger.get(batch.producer)!, batch.seq));
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

async function addToCounters(trx: Knex, totals: ClickCount[]): Promise<void> {
  if (totals.length === 0) return;
  await trx.raw(
    `with locked as materialized (
       select url_id from url_stats where url_id = any(cast(:urlIds as bigint[])) order by url_id for update
     )
     update url_stats s
     set click_count = s.click_count + total.clicks,
         last_accessed_at = greatest(s.last_accessed_at, to_timestamp(total.last_at_ms / 1000.0))
     from locked
     join unnest(cast(:urlIds as bigint[]), cast(:clicks as bigint[]), cast(:lastAtMs as bigint[]))
       as total (url_id, clicks, last_at_ms) on total.url_id = locked.url_id
     where s.url_id = locked.url_id`,
    {
      urlIds: totals.map((total) => total.urlId),
      clicks: totals.map((total) => total.count),
      lastAtMs: totals.map((total) => total.lastAtMs),
    },
  );
}

async function advanceLedger(trx: Knex, ledger: Map<string, LedgerEntry>, fresh: Batch[]): Promise<void> {
  if (fresh.length === 0) return;
  const gapsClosed = fresh.filter(({ producer, seq }) => seq === ledger.get(producer)!.appliedThrough + 1);
  const waiting = await findOutOfOrder(
    trx,
    gapsClosed.map((batch) => batch.producer),
  );
  const rows = [...new Set(fresh.map((batch) => batch.producer))].map((producer) => {
    const batches = fresh.filter((batch) => batch.producer === producer);
    const { appliedThrough } = ledger.get(producer)!;
    const before = { appliedThrough, outOfOrder: waiting.get(producer) ?? new Set<number>() };
    const after = advance(
      before,
      batches.map((batch) => batch.seq),
    );
    return { producer, before, after, batches: batches.length, clicks: sum(batches.map(countClicks)) };
  });
  const added = rows.flatMap(({ producer, before, after }) =>
    [...after.outOfOrder].filter((seq) => !before.outOfOrder.has(seq)).map((seq) => ({ producer, seq })),
  );
  await trx.raw(
    `update click_producers p
     set applied_through = row.applied_through, batches = p.batches + row.batches, clicks = p.clicks + row.clicks,
         last_applied_at = now()
     from unnest(cast(:producers as uuid[]), cast(:through as bigint[]), cast(:batches as bigint[]), cast(:clicks as bigint[]))
       as row (producer, applied_through, batches, clicks)
     where p.producer = row.producer`,
    {
      producers: rows.map((row) => row.producer),
      through: rows.map((row) => row.after.appliedThrough),
      batches: rows.map((row) => row.batches),
      clicks: rows.map((row) => row.clicks),
    },
  );
  await trx.raw(
    `delete from click_ooo o using click_producers p
     where o.producer = p.producer and p.producer = any(cast(:producers as uuid[])) and o.seq <= p.applied_through`,
    { producers: rows.map((row) => row.producer) },
  );
  if (added.length === 0) return;
  await trx.raw(
    `insert into click_ooo (producer, seq) select * from unnest(cast(:producers as uuid[]), cast(:seqs as bigint[]))`,
    { producers: added.map((row) => row.producer), seqs: added.map((row) => row.seq) },
  );
}

/** All batches that these producers have out of order. */
async function findOutOfOrder(trx: Knex, producers: string[]): Promise<Map<string, Set<number>>> {
  if (producers.length === 0) return new Map();
  const { rows } = await trx.raw<{ rows: OutOfOrder[] }>(
    `select producer, array_agg(seq) as seqs from click_ooo
     where producer = any(cast(:producers as uuid[])) group by producer`,
    { producers },
  );
  return toSets(rows);
}

const toSets = (rows: OutOfOrder[]) =>
  new Map(rows.map((row) => [row.producer, new Set(row.seqs.map(Number))]));

const countClicks = (batch: Batch) => sum(batch.clicks.map((click) => click.count));
const sum = (numbers: number[]) => numbers.reduce((total, number) => total + number, 0);
