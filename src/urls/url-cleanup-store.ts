import type { Knex } from 'knex';
import { onlyRow } from '../postgres.ts';
import { storedColumns } from './url-columns.ts';
import type { StoredUrl } from './url.ts';

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

    /** Removes up to `limit` short URLs that were deleted or expired more than `retentionDays` ago, with their counters.
     *  In the same statement generated codes go to the returned keys, to be used again after `quarantineDays`, their
     *  clicks into the books, and those that were changed lately, which a cache may not know yet, to the removals. Locks
     *  counters in the order of a flush, so that the two do not deadlock. */
    async purge(now: Date, retentionDays: number, quarantineDays: number, limit: number): Promise<number> {
      const result = await db.raw<{ rows: { count: number }[] }>(
        `with old as materialized (
           select u.id from urls u where ${isPastRetention} limit :limit for update skip locked
         ), counters as materialized (
           select url_id, click_count from url_stats where url_id in (select id from old) order by url_id for update
         ), purged as (
           delete from urls where id in (select url_id from counters)
           returning short_code, code_is_generated, version, updated_at
         ), removed as (
           insert into url_removals (short_code, version)
           select short_code, version + 1 from purged where updated_at > now() - interval '2 days'
           on conflict (short_code) do update set version = excluded.version,
             removed_in = excluded.removed_in, removed_at = excluded.removed_at
         ), returned as (
           insert into returned_keys (short_code, available_at)
           select short_code, cast(:now as timestamptz) + make_interval(days => :quarantineDays)
           from purged where code_is_generated
           on conflict do nothing
         ), books as (
           update click_books set purged_clicks = purged_clicks + (select sum(click_count) from counters)
           where exists (select from counters where click_count > 0)
         )
         select count(*) as count from purged`,
        { now, retentionDays, quarantineDays, limit },
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
