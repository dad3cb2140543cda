import { type Knex, onlyRow } from '../../storage/postgres/postgres.ts';
import type { UrlChange } from './change.ts';
import { notifyOfChanges } from './postgres-bus.ts';

/** The code that records the removal of all short URLs at once. */
export const allCodes = '*';

/** A position in the order of changes: a PostgreSQL transaction ID and a short code. */
export interface ChangeCursor {
  transaction: string;
  shortCode: string;
}

/** The position before the first change of a transaction. */
export const startOf = (transaction: string): ChangeCursor => ({ transaction, shortCode: '' });

/** SQL that is true for changes of this PostgreSQL server. Rows of a foreign dump may have transaction IDs that are
 *  still in the future here, and would count as the latest changes until then. */
const isLocal = (transaction: string) => `${transaction} < pg_snapshot_xmax(pg_current_snapshot())`;

export type ChangeLog = ReturnType<typeof createChangeLog>;

/** The changed and removed short URLs with their transactions, whichever program made the change. Creations are not
 *  included. */
export function createChangeLog(db: Knex) {
  return {
    /** Returns the transaction before which all have ended, and PostgreSQL's clock. Changes that are not visible yet
     *  belong to this or a later transaction. */
    async findHorizon(): Promise<{ transaction: string; atMs: number }> {
      return onlyRow(
        await db.raw<{ rows: { transaction: string; atMs: number }[] }>(
          `select cast(pg_snapshot_xmin(pg_current_snapshot()) as text) as transaction,
                  cast(extract(epoch from clock_timestamp()) * 1000 as bigint) as "atMs"`,
        ),
      );
    },

    /** Counts the changes and removals since a transaction, inclusive. */
    async countChanged(transaction: string): Promise<number> {
      const { rows } = await db.raw<{ rows: { count: number }[] }>(
        `select (select count(*) from urls
                 where changed_in >= cast(:transaction as xid8) and ${isLocal('changed_in')})
              + (select count(*) from url_removals
                 where removed_in >= cast(:transaction as xid8) and ${isLocal('removed_in')}) as count`,
        { transaction },
      );
      return rows[0]?.count ?? 0;
    },

    /** Returns up to `limit` changes and removals after a cursor, in order. */
    async findChanged(after: ChangeCursor, limit: number): Promise<ChangeCursor[]> {
      const { rows } = await db.raw<{ rows: ChangeCursor[] }>(
        `select cast(xid as text) as transaction, short_code as "shortCode" from (
           (select changed_in as xid, short_code from urls
            where (changed_in, short_code) > (cast(:transaction as xid8), :shortCode) and ${isLocal('changed_in')}
            order by 1, 2 limit :limit)
           union all
           (select removed_in, short_code from url_removals
            where (removed_in, short_code) > (cast(:transaction as xid8), :shortCode) and ${isLocal('removed_in')}
            order by 1, 2 limit :limit)
         ) as changed (xid, short_code)
         order by xid, short_code limit :limit`,
        { ...after, limit },
      );
      return rows;
    },

    /** Returns the latest `limit` changes, under aliases too, and removals. */
    async findLatest(limit: number): Promise<UrlChange[]> {
      const { rows } = await db.raw<{ rows: UrlChange[] }>(
        `with latest as materialized (
           select id, short_code, version from urls
           where ${isLocal('changed_in')} order by changed_in desc limit :limit
         )
         select short_code as "shortCode", version from latest
         union all
         select a.short_code, latest.version from latest join url_aliases a on a.url_id = latest.id
         union all
         (select short_code, version from url_removals
          where ${isLocal('removed_in')} order by removed_in desc limit :limit)`,
        { limit },
      );
      return rows;
    },

    /** Returns the versions of the recorded removals of these codes, or of all codes at once (see allCodes). */
    async findRemovals(shortCodes: string[]): Promise<Map<string, number>> {
      const { rows } = await db.raw<{ rows: UrlChange[] }>(
        `select short_code as "shortCode", version from url_removals
         where short_code = any(cast(:shortCodes as text[]))`,
        { shortCodes: [...shortCodes, allCodes] },
      );
      return new Map(rows.map(({ shortCode, version }) => [shortCode, version]));
    },

    /** Deletes up to `limit` removals older than this; resolves to their number. */
    async deleteRemovals(olderThanSeconds: number, limit: number): Promise<number> {
      const { rows } = await db.raw<{ rows: { count: number }[] }>(
        `with old as (
           delete from url_removals where short_code in (
             select short_code from url_removals
             where removed_at < now() - make_interval(secs => :olderThanSeconds) limit :limit for update skip locked
           ) returning 1
         )
         select count(*) as count from old`,
        { olderThanSeconds, limit },
      );
      return rows[0]?.count ?? 0;
    },

    /** Publishes changes over PostgreSQL's NOTIFY. */
    notify: async (changes: UrlChange[]): Promise<void> => await notifyOfChanges(db, changes),
  };
}
