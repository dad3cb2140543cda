import type { Knex } from '../../storage/postgres/postgres.ts';
import { onlyRow } from '../../storage/postgres/postgres.ts';
import type { UrlScope } from '../rollups/scope.ts';
import { findUrls, type Sql } from '../rollups/scope.ts';

/** A row of the analytics, and whose it is. Nothing tells its visitor. */
export interface FedClick {
  /** The transaction that counted it. */
  transaction: bigint;
  shortCode: string;
  createdBy: number | null;
  tags: string[];
  at: Date;
  clicks: number;
  isBot: boolean;
  /** Empty for a person, and where it is unknown. */
  botKind: string;
  country: string;
  referrer: string;
  browser: string;
  os: string;
  device: string;
}

/** All transactions from `from` on and before `before`. */
export interface Transactions {
  from: bigint;
  before: bigint;
}

/** Rows that are read at once; those of one transaction are never apart. */
const pageSize = 1_000;

/** No PostgreSQL gets so far with its transactions; half of what a number holds. Rows that a dump has brought are counted from here on:
 *  the transactions of the one they are from may be yet to come here. */
export const restoredFrom = 2n ** 52n;
/** Rows that are renumbered at once, or as many as one transaction has. */
const restoredSize = 10_000;

const everyUrl: Sql = { sql: 'true', bindings: {} };

export type ClickFeedStore = ReturnType<typeof createClickFeedStore>;

/** Clicks that have a row, in the order of the transactions that counted them. */
export const createClickFeedStore = (db: Knex) => ({
  /** The transaction before which all have ended: what is not to be seen yet belongs to it or to a later one. */
  async findHorizon(): Promise<bigint> {
    const sql = 'select cast(pg_snapshot_xmin(pg_current_snapshot()) as text) as horizon';
    return BigInt(onlyRow(await db.raw<{ rows: { horizon: string }[] }>(sql)).horizon);
  },

  /** Puts some rows that a dump has brought from another PostgreSQL behind all that this one will count, in the order that they had;
   *  resolves to how many there were. Until then nobody knows them from what is counted later. */
  async renumberRestored(): Promise<number> {
    const isForeign = `applied_in >= pg_snapshot_xmax(pg_current_snapshot()) and applied_in < cast(:restoredFrom as xid8)`;
    const bindings = { restoredFrom: String(restoredFrom) };
    const { rows: last } = await db.raw<{ rows: { transaction: string }[] }>(
      `select cast(applied_in as text) as transaction from url_analytics
       where ${isForeign} order by applied_in offset :skipped limit 1`,
      { ...bindings, skipped: restoredSize - 1 },
    );
    const { rowCount } = await db.raw<{ rowCount: number }>(
      `update url_analytics
       set applied_in = cast(cast(cast(cast(applied_in as text) as bigint) + cast(:restoredFrom as bigint) as text) as xid8)
       where ${isForeign} and applied_in <= cast(:last as xid8)`,
      { ...bindings, last: last[0]?.transaction ?? bindings.restoredFrom },
    );
    return rowCount;
  },

  /** What is true of a scope's short URLs. Throws UrlNotFound. */
  findUrls: async (scope: UrlScope): Promise<Sql> => await findUrls(db, scope),

  /** A page of clicks of these transactions, which have all ended, and before which transaction it ends. */
  async findCounted(
    { from, before }: Transactions,
    urls: Sql = everyUrl,
  ): Promise<{ clicks: FedClick[]; next: bigint }> {
    const isCounted = `applied_in >= cast(:from as xid8) and applied_in < cast(:before as xid8) and ${urls.sql}`;
    const bindings = { ...urls.bindings, from: String(from), before: String(before) };
    const { rows: last } = await db.raw<{ rows: { transaction: string }[] }>(
      `select cast(applied_in as text) as transaction from url_analytics
       where ${isCounted} order by applied_in offset :skipped limit 1`,
      { ...bindings, skipped: pageSize - 1 },
    );
    const next = last[0] ? BigInt(last[0].transaction) + 1n : before;
    const { rows } = await db.raw<{ rows: (Omit<FedClick, 'transaction'> & { transaction: string })[] }>(
      `select cast(applied_in as text) as transaction, u.short_code as "shortCode", u.created_by as "createdBy", u.tags,
              at, clicks, is_bot as "isBot", bot_kind as "botKind", country, referrer, browser, os, device
       from url_analytics join urls u on u.id = url_id and u.deleted_at is null
       where ${isCounted} order by applied_in, at`,
      { ...bindings, before: String(next) },
    );
    const clicks = rows.map(({ transaction, ...click }) =>
      Object.assign(click, { transaction: BigInt(transaction) }),
    );
    return { clicks, next };
  },
});
