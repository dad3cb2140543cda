import { type Knex, onlyRow } from '../../storage/postgres/postgres.ts';
import type { StoredUrl } from '../url.ts';
import { storedColumns } from './columns.ts';
import { purgeOf } from './purge.ts';

export type UrlCleanupStore = ReturnType<typeof createUrlCleanupStore>;

/** Short URLs whose time is over, and those past their retention. */
export function createUrlCleanupStore(db: Knex) {
  return {
    /** Disables up to `limit` short URLs whose time is over at `now`; two callers never get the same one. */
    async disableExpired(now: Date, limit: number): Promise<StoredUrl[]> {
      const { rows } = await db.raw<{ rows: StoredUrl[] }>(
        `with expired as materialized (
           select id from urls where ${isToEnd}
           order by expires_at limit :limit for update skip locked
         )
         update urls u set is_active = false, has_ended = true, updated_at = now(), version = nextval('url_versions')
         where id in (select id from expired)
         returning ${storedColumns}`,
        { now, limit },
      );
      return rows;
    },

    /** How many short URLs disableExpired and purge would find at `now`. */
    async countToClean(now: Date, retentionDays: number): Promise<number> {
      const result = await db.raw<{ rows: { count: number }[] }>(
        `select (select count(*) from urls where ${isToEnd})
              + (select count(*) from urls u where ${isPastRetention}) as count`,
        { now, retentionDays },
      );
      return onlyRow(result).count;
    },

    /** Removes up to `limit` short URLs that were deleted or expired more than `retentionDays` ago, with their counters: see
     *  purgeOf. Resolves to how many there were. */
    async purge(now: Date, retentionDays: number, codeReuseDays: number, limit: number): Promise<number> {
      const result = await db.raw<{ rows: { count: number }[] }>(
        `${purgeOf(`select u.id from urls u where ${isPastRetention} limit :limit for update skip locked`, {
          // A cache may not know of what was changed lately.
          isNoted: `updated_at > now() - interval '2 days'`,
          removedVersion: 'version + 1',
        })}
         select count(*) as count from purged`,
        { now, retentionDays, codeReuseDays, limit },
      );
      return onlyRow(result).count;
    },

    /** Ends up to `limit` reservations whose time has passed at `now`; resolves to how many there were. */
    async endReservations(now: Date, limit: number): Promise<number> {
      const result = await db.raw<{ rows: { count: number }[] }>(
        `with ended as (
           delete from reserved_keys where short_code in (
             select short_code from reserved_keys where reserved_until <= :now
             order by reserved_until limit :limit for update skip locked
           ) returning 1
         )
         select count(*) as count from ended`,
        { now, limit },
      );
      return onlyRow(result).count;
    },
  };
}

const isToEnd = 'is_active and expires_at <= :now and deleted_at is null';

/** Deleted or expired, and longer ago than the retention. Names no column that counting changes. */
const isPastRetention = `(
  u.deleted_at <= cast(:now as timestamptz) - make_interval(days => :retentionDays)
  or not u.is_active and u.expires_at <= cast(:now as timestamptz) - make_interval(days => :retentionDays)
)`;
