import { type Knex, boundedTransaction, onlyRow } from '../../storage/postgres/postgres.ts';

/** When a producer was born: ids of version 7 begin with the milliseconds. */
export const bornAt = (producer: string) =>
  `to_timestamp(cast(cast('x' || translate(left(cast(${producer} as text), 13), '-', '') as bit(48)) as bigint) / 1000.0)`;

/** Inserts rows for producers that have none, except for those that were removed as idle, judged by when they were born. */
export async function insertProducers(trx: Knex, producers: string[]): Promise<void> {
  const { rows } = await trx.raw<{ rows: { producer: string }[] }>(
    `insert into click_producers (producer)
     select * from unnest(cast(:producers as uuid[])) order by 1 on conflict do nothing returning producer`,
    { producers },
  );
  if (rows.length === 0) return;
  // A statement of its own: the insert may have waited for the transaction that removes a producer.
  await trx.raw(
    `delete from click_producers p using click_books b
     where p.producer = any(cast(:inserted as uuid[])) and ${bornAt('p.producer')} <= b.producers_removed_through`,
    { inserted: rows.map((row) => row.producer) },
  );
}

const isIdle = `greatest(last_applied_at, reported_at) < now() - make_interval(days => :idleDays)`;

/** The producers of batches in the ledger: what each has told, and which of them nothing is heard of any more. */
export function createProducerStore(db: Knex) {
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

    /** Makes a new producer known before its first batch is, whatever its clock says. Only for a producer that was not known before. */
    async registerProducer(producer: string): Promise<void> {
      await db.raw(
        'insert into click_producers (producer, reported_at) values (:producer, now()) on conflict do nothing',
        { producer },
      );
    },

    /** Makes a producer known again whose row may be missing because the database was restored. One that was removed as idle gets
     *  no row: its batches may have been counted before. */
    async registerProducerAgain(producer: string): Promise<void> {
      await boundedTransaction(db, async (trx) => await insertProducers(trx, [producer]));
    },

    /** Writes down how many clicks a registered producer has accepted so far, and that it lives. One that was removed as
     *  idle gets no row again: what was counted of it is not known any more. */
    async reportAccepted(producer: string, accepted: number): Promise<void> {
      await db.raw(
        `update click_producers set accepted = greatest(accepted, :accepted), reported_at = now()
         where producer = :producer`,
        { producer, accepted },
      );
    },

    /** Producers of which nothing was heard for `idleDays`. */
    async countIdleProducers(idleDays: number): Promise<number> {
      const sql = `select count(*) as count from click_producers where ${isIdle}`;
      return onlyRow(await db.raw<{ rows: { count: number }[] }>(sql, { idleDays })).count;
    },

    /** Removes up to `limit` producers of which nothing was heard for `idleDays`; their totals stay in the books. None of
     *  them was born since, whatever its clock said. */
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
                  max(${bornAt('producer')}) as born_at, now() - make_interval(days => :idleDays) as idle_since
           from removed
         ), books as (
           update click_books b
           set removed_accepted = b.removed_accepted + total.accepted, removed_clicks = b.removed_clicks + total.clicks,
               producers_removed_through = greatest(b.producers_removed_through, least(total.born_at, total.idle_since))
           from total where total.count > 0
         )
         select count from total`,
        { idleDays, limit },
      );
      return onlyRow(result).count;
    },
  };
}
