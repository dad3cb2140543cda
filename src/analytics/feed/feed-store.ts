import { advisoryLocks } from '../../storage/postgres/advisory-locks.ts';
import type { Knex } from '../../storage/postgres/postgres.ts';
import { onlyRow } from '../../storage/postgres/postgres.ts';
import type { UrlScope } from '../rollups/scope.ts';
import { findUrls, type Sql } from '../rollups/scope.ts';

/** A click event, with the owner of its short URL and without its visitor ID. */
export interface ClickEvent {
  /** Transaction that counted it. */
  transaction: bigint;
  shortCode: string;
  urlId: number;
  createdBy: number | null;
  tags: string[];
  at: Date;
  clicks: number;
  isBot: boolean;
  /** Empty for a person and when unknown. */
  botKind: string;
  country: string;
  referrer: string;
  browser: string;
  os: string;
  device: string;
}

/** Transactions from `from` (included) to `before` (excluded). */
export interface Transactions {
  from: bigint;
  before: bigint;
}

/** Click events per page; a page never splits a transaction. */
const pageSize = 1_000;

/** Offset of restored transactions: half of the safe integers, which no PostgreSQL reaches. Rows from a dump get
 *  transaction numbers above it, because their original numbers may be in the future here. */
export const restoredOffset = 2n ** 52n;
/** Rows that one call renumbers; more if one transaction has more. */
const renumberLimit = 10_000;

/** Locks name a transaction by the lower 32 bits of its number, and an advisory lock by both halves of its own. */
const horizonSql = `
  select cast(coalesce(
    (select running from pg_snapshot_xip(snapshot) as running
     where cast(cast(running as text) as numeric) % 4294967296 not in (
       select cast(cast(of_transaction.transactionid as text) as numeric)
       from pg_locks advisory join pg_locks of_transaction using (virtualtransaction)
       where advisory.locktype = 'advisory' and advisory.mode = 'ExclusiveLock' and advisory.granted
         and advisory.database = (select oid from pg_database where datname = current_database())
         and advisory.classid = ${Math.floor(advisoryLocks.partitions / 2 ** 32)} and advisory.objid = ${advisoryLocks.partitions % 2 ** 32}
         and of_transaction.locktype = 'transactionid' and of_transaction.mode = 'ExclusiveLock'
     )
     order by running limit 1),
    pg_snapshot_xmax(snapshot)) as text) as horizon
  from (select pg_current_snapshot() as snapshot) as now`;

const allUrls: Sql = { sql: 'true', bindings: {} };

export type ClickFeedStore = ReturnType<typeof createClickFeedStore>;

/** Reads click events in the order of the transactions that counted them. */
export const createClickFeedStore = (db: Knex) => ({
  /** Returns the transaction before which all have ended, except one that rolls up clicks or changes partitions: that adds no events, and
   *  takes seconds. Events that are not visible yet belong to the returned transaction or to a later one. */
  async findHorizon(): Promise<bigint> {
    const result = await db.raw<{ rows: { horizon: string }[] }>(horizonSql);
    return BigInt(onlyRow(result).horizon);
  },

  /** Moves some rows that a dump brought from another PostgreSQL behind all rows that this one counts, in their
   *  original order; resolves to their number. Before that, they cannot be distinguished from rows counted later. */
  async renumberRestored(): Promise<number> {
    const isRestored = `applied_in >= pg_snapshot_xmax(pg_current_snapshot()) and applied_in < cast(:restoredOffset as xid8)`;
    const bindings = { restoredOffset: String(restoredOffset) };
    const { rows: last } = await db.raw<{ rows: { transaction: string }[] }>(
      `select cast(applied_in as text) as transaction from url_analytics
       where ${isRestored} order by applied_in offset :skipped limit 1`,
      { ...bindings, skipped: renumberLimit - 1 },
    );
    const { rowCount } = await db.raw<{ rowCount: number }>(
      `update url_analytics
       set applied_in = cast(cast(cast(cast(applied_in as text) as bigint) + cast(:restoredOffset as bigint) as text) as xid8)
       where ${isRestored} and applied_in <= cast(:last as xid8)`,
      { ...bindings, last: last[0]?.transaction ?? bindings.restoredOffset },
    );
    return rowCount;
  },

  /** Returns the SQL condition of a scope's short URLs. Throws UrlNotFound. */
  findUrls: async (scope: UrlScope): Promise<Sql> => await findUrls(db, scope),

  /** Returns a page of click events of ended transactions, and the transaction before which the page ends. */
  async findEvents(
    { from, before }: Transactions,
    urls: Sql = allUrls,
  ): Promise<{ clicks: ClickEvent[]; next: bigint }> {
    const isInRange = `applied_in >= cast(:from as xid8) and applied_in < cast(:before as xid8) and ${urls.sql}`;
    const bindings = { ...urls.bindings, from: String(from), before: String(before) };
    const { rows: last } = await db.raw<{ rows: { transaction: string }[] }>(
      `select cast(applied_in as text) as transaction from url_analytics
       where ${isInRange} order by applied_in offset :skipped limit 1`,
      { ...bindings, skipped: pageSize - 1 },
    );
    const next = last[0] ? BigInt(last[0].transaction) + 1n : before;
    const { rows } = await db.raw<{ rows: (Omit<ClickEvent, 'transaction'> & { transaction: string })[] }>(
      `select cast(applied_in as text) as transaction, u.id as "urlId", u.short_code as "shortCode", u.created_by as "createdBy", u.tags,
              at, clicks, is_bot as "isBot", bot_kind as "botKind", country, referrer, browser, os, device
       from url_analytics join urls u on u.id = url_id and u.deleted_at is null
       where ${isInRange} order by applied_in, at`,
      { ...bindings, before: String(next) },
    );
    const clicks = rows.map(({ transaction, ...click }) =>
      Object.assign(click, { transaction: BigInt(transaction) }),
    );
    return { clicks, next };
  },
});
