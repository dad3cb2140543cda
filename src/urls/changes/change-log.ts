import { type Knex, onlyRow } from '../../storage/postgres/postgres.ts';
import type { UrlChange } from './change.ts';
import { notifyOfChanges } from './postgres-bus.ts';

/** The code under which the removal of every short URL at once is remembered. */
export const everyCode = '*';

/** A point in the order of changes: a transaction, as PostgreSQL numbers them, and a short code. */
export interface Place {
  transaction: string;
  shortCode: string;
}

/** Before the first change of a transaction. */
export const beginningOf = (transaction: string): Place => ({ transaction, shortCode: '' });

/** True of a change that this PostgreSQL has made. A dump of another one may have brought rows whose transactions are yet to come
 *  here: without this they would count as the latest changes until then. */
const isOwn = (transaction: string) => `${transaction} < pg_snapshot_xmax(pg_current_snapshot())`;

export type ChangeStore = ReturnType<typeof createChangeStore>;

/** Which short URLs were changed, by whomever, or removed, and by which transaction. The creation of one is no change. */
export function createChangeStore(db: Knex) {
  return {
    /** The transaction before which all have ended, and PostgreSQL's clock: changes that are not to be seen yet
     *  belong to this transaction or to a later one. */
    async findHorizon(): Promise<{ transaction: string; atMs: number }> {
      return onlyRow(
        await db.raw<{ rows: { transaction: string; atMs: number }[] }>(
          `select cast(pg_snapshot_xmin(pg_current_snapshot()) as text) as transaction,
                  cast(extract(epoch from clock_timestamp()) * 1000 as bigint) as "atMs"`,
        ),
      );
    },

    /** How many were changed or removed by this transaction and those after it. */
    async countChanged(transaction: string): Promise<number> {
      const { rows } = await db.raw<{ rows: { count: number }[] }>(
        `select (select count(*) from urls
                 where changed_in >= cast(:transaction as xid8) and ${isOwn('changed_in')})
              + (select count(*) from url_removals
                 where removed_in >= cast(:transaction as xid8) and ${isOwn('removed_in')}) as count`,
        { transaction },
      );
      return rows[0]?.count ?? 0;
    },

    /** Up to `limit` that were changed or removed after a place, in the order of places. */
    async findChanged(after: Place, limit: number): Promise<Place[]> {
      const { rows } = await db.raw<{ rows: Place[] }>(
        `select cast(xid as text) as transaction, short_code as "shortCode" from (
           (select changed_in as xid, short_code from urls
            where (changed_in, short_code) > (cast(:transaction as xid8), :shortCode) and ${isOwn('changed_in')}
            order by 1, 2 limit :limit)
           union all
           (select removed_in, short_code from url_removals
            where (removed_in, short_code) > (cast(:transaction as xid8), :shortCode) and ${isOwn('removed_in')}
            order by 1, 2 limit :limit)
         ) as changed (xid, short_code)
         order by xid, short_code limit :limit`,
        { ...after, limit },
      );
      return rows;
    },

    /** The latest `limit` changes, under old codes too, and removals. */
    async findLatest(limit: number): Promise<UrlChange[]> {
      const { rows } = await db.raw<{ rows: UrlChange[] }>(
        `with latest as materialized (
           select id, short_code, version from urls
           where ${isOwn('changed_in')} order by changed_in desc limit :limit
         )
         select short_code as "shortCode", version from latest
         union all
         select a.short_code, latest.version from latest join url_aliases a on a.url_id = latest.id
         union all
         (select short_code, version from url_removals
          where ${isOwn('removed_in')} order by removed_in desc limit :limit)`,
        { limit },
      );
      return rows;
    },

    /** The versions as of which these codes, or every one at once (see everyCode), were removed; only those that were. */
    async findRemovals(shortCodes: string[]): Promise<Map<string, number>> {
      const { rows } = await db.raw<{ rows: UrlChange[] }>(
        `select short_code as "shortCode", version from url_removals
         where short_code = any(cast(:shortCodes as text[]))`,
        { shortCodes: [...shortCodes, everyCode] },
      );
      return new Map(rows.map(({ shortCode, version }) => [shortCode, version]));
    },

    /** Forgets up to `limit` removals that are older than this; resolves to how many there were. */
    async forgetRemovals(olderThanSeconds: number, limit: number): Promise<number> {
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

    /** Tells everybody who hears notifications of changes. */
    notify: async (changes: UrlChange[]): Promise<void> => await notifyOfChanges(db, changes),
  };
}
