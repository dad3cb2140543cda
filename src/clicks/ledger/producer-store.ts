import { type Knex, boundedTransaction, onlyRow } from '../../storage/postgres/postgres.ts';

declare module 'knex/types/tables.js' {
  interface Tables {
    click_producers: {
      producer: string;
      applied_through: number;
      batches: number;
      clicks: number;
      first_applied_at: Date;
      last_applied_at: Date;
      accepted: number;
      reported_at: Date | null;
    };
  }
}

/** SQL for the creation time of a producer: a UUID v7 begins with milliseconds. */
export const createdAt = (producer: string) =>
  `to_timestamp(cast(cast('x' || translate(left(cast(${producer} as text), 13), '-', '') as bit(48)) as bigint) / 1000.0)`;

/** Inserts rows for producers that have none, except those created before the last removal of idle producers. */
export async function insertProducers(trx: Knex, producers: string[]): Promise<void> {
  const { rows } = await trx.raw<{ rows: { producer: string }[] }>(
    `insert into click_producers (producer)
     select * from unnest(cast(:producers as uuid[])) order by 1 on conflict do nothing returning producer`,
    { producers },
  );
  if (rows.length === 0) return;
  // A separate statement, because the insert may have waited for the transaction that removes a producer.
  await trx.raw(
    `delete from click_producers p using click_ledger_totals b
     where p.producer = any(cast(:inserted as uuid[])) and ${createdAt('p.producer')} <= b.producers_removed_through`,
    { inserted: rows.map((row) => row.producer) },
  );
}

const isIdle = `greatest(last_applied_at, reported_at) < now() - make_interval(days => :idleDays)`;

/** Producers in the ledger: what each has reported, and which are idle. */
export function createProducerStore(db: Knex) {
  return {
    /** Returns the sequence numbers that are already counted. */
    async findApplied(producer: string, seqs: number[]): Promise<number[]> {
      const { rows } = await db.raw<{ rows: { seq: number }[] }>(
        `select batch.seq from unnest(cast(:seqs as bigint[])) as batch (seq)
         where exists (
           select from click_producers p where p.producer = :producer and batch.seq <= p.applied_through
         ) or exists (
           select from click_out_of_order_batches o where o.producer = :producer and o.seq = batch.seq
         )`,
        { producer, seqs },
      );
      return rows.map((row) => row.seq);
    },

    /** Registers a new producer before its first batch arrives, regardless of its clock. Only for a producer that was
     *  never registered. */
    async registerProducer(producer: string): Promise<void> {
      await db('click_producers').insert({ producer, reported_at: db.fn.now() }).onConflict().ignore();
    },

    /** Registers a producer again whose row may be missing after a restore. A producer that was removed as idle gets
     *  no row: its batches may have been counted before. */
    async registerProducerAgain(producer: string): Promise<void> {
      await boundedTransaction(db, async (trx) => await insertProducers(trx, [producer]));
    },

    /** Stores how many clicks a registered producer has accepted, as a sign of life. A producer that was removed as
     *  idle gets no new row, because its ledger entries are lost. */
    async reportAccepted(producer: string, accepted: number): Promise<void> {
      await db.raw(
        `update click_producers set accepted = greatest(accepted, :accepted), reported_at = now()
         where producer = :producer`,
        { producer, accepted },
      );
    },

    /** Counts producers without a sign of life for `idleDays`. */
    async countIdleProducers(idleDays: number): Promise<number> {
      const sql = `select count(*) as count from click_producers where ${isIdle}`;
      return onlyRow(await db.raw<{ rows: { count: number }[] }>(sql, { idleDays })).count;
    },

    /** Removes up to `limit` producers without a sign of life for `idleDays`, and keeps their totals for the audit.
     *  Later calls of `insertProducers` treat producers created before this time as removed, regardless of their
     *  clocks. */
    async removeIdleProducers(idleDays: number, limit: number): Promise<number> {
      const result = await db.raw<{ rows: { count: number }[] }>(
        `with idle as materialized (
           select producer from click_producers
           where ${isIdle}
           order by producer limit :limit for update skip locked
         ), removed as (
           delete from click_producers p using idle where p.producer = idle.producer
           returning p.producer, p.accepted, p.clicks
         ), total as (
           select count(*) as count, sum(accepted) as accepted, sum(clicks) as clicks,
                  max(${createdAt('producer')}) as created_at, now() - make_interval(days => :idleDays) as idle_since
           from removed
         ), updated_totals as (
           update click_ledger_totals b
           set removed_accepted = b.removed_accepted + total.accepted, removed_clicks = b.removed_clicks + total.clicks,
               producers_removed_through = greatest(b.producers_removed_through, least(total.created_at, total.idle_since))
           from total where total.count > 0
         )
         select count from total`,
        { idleDays, limit },
      );
      return onlyRow(result).count;
    },
  };
}
