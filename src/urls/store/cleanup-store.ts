import { type Knex, onlyRow } from '../../storage/postgres/postgres.ts';
import type { StoredUrl } from '../url.ts';
import { storedColumns } from './columns.ts';
import { purgeStatement } from './purge.ts';

export type UrlCleanupStore = ReturnType<typeof createUrlCleanupStore>;

/** Finds and removes short URLs that have expired or are past their retention. */
export function createUrlCleanupStore(db: Knex) {
  return {
    /** Disables up to `limit` expired short URLs. Concurrent callers never get the same one. */
    async disableExpired(now: Date, limit: number): Promise<StoredUrl[]> {
      const { rows } = await db.raw<{ rows: StoredUrl[] }>(
        `with expired as materialized (
           select id from urls where ${isDue}
           order by expires_at limit :limit for update skip locked
         )
         update urls u set is_active = false, has_ended = true, updated_at = now(), version = nextval('url_versions')
         where id in (select id from expired)
         returning ${storedColumns}`,
        { now, limit },
      );
      return rows;
    },

    /** Counts the short URLs that disableExpired and purge would process at `now`. */
    async countDue(now: Date, retentionDays: number): Promise<number> {
      const result = await db.raw<{ rows: { count: number }[] }>(
        `select (select count(*) from urls where ${isDue})
              + (select count(*) from urls u where ${isPastRetention}) as count`,
        { now, retentionDays },
      );
      return onlyRow(result).count;
    },

    /** Purges up to `limit` short URLs that were deleted or expired more than `retentionDays` ago, with their
     *  counters: see purgeStatement. Resolves to their number. */
    async purge(now: Date, retentionDays: number, codeReuseDays: number, limit: number): Promise<number> {
      const result = await db.raw<{ rows: { count: number }[] }>(
        `${purgeStatement(
          `select u.id from urls u where ${isPastRetention} limit :limit for update skip locked`,
          {
            // Caches may still have a short URL that changed recently.
            needsRemoval: `updated_at > now() - interval '2 days'`,
            removedVersion: 'version + 1',
          },
        )}
         select count(*) as count from purged`,
        { now, retentionDays, codeReuseDays, limit },
      );
      return onlyRow(result).count;
    },

    /** Ends up to `limit` reservations that have expired at `now`; resolves to their number. */
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

const isDue = 'is_active and expires_at <= :now and deleted_at is null';

/** Deleted or expired longer ago than the retention. Uses no column that counting updates. */
const isPastRetention = `(
  u.deleted_at <= cast(:now as timestamptz) - make_interval(days => :retentionDays)
  or not u.is_active and u.expires_at <= cast(:now as timestamptz) - make_interval(days => :retentionDays)
)`;
