import type { Knex } from 'knex';
import { boundedTransaction } from '../postgres.ts';
import { isOwned, type Owner } from './owner.ts';
import { findSame } from './same-urls.ts';
import {
  changedColumns,
  type Changes,
  insertedColumns,
  insertedTypes,
  insertedValues,
  type NewUrl,
  storedColumns,
  toChangedColumns,
  toInsertedRows,
  urlColumns,
} from './url-columns.ts';
import type { ShortUrl, ShortUrlWithClicks, StoredUrl } from './url.ts';

/** A short URL, and whether it was not there before. */
export interface FoundOrInserted {
  url: ShortUrl;
  isNew: boolean;
}

export type UrlStore = ReturnType<typeof createUrlStore>;

/** The table of short URLs. Deleted ones are found only where a method says so. */
export function createUrlStore(db: Knex) {
  async function findByCodes(shortCodes: string[]): Promise<StoredUrl[]> {
    const { rows } = await db.raw<{ rows: StoredUrl[] }>(
      `select ${storedColumns} from urls u where u.short_code = any(cast(:shortCodes as text[]))`,
      { shortCodes },
    );
    return rows;
  }

  return {
    /** Inserts short URLs and their counters in one statement, which all of them share for better or worse; in their order,
     *  undefined for each whose code is taken or reserved for another API key. The unique index is the judge between those
     *  that ask at once, in one call (the first) or in several. */
    async insertMany(wanted: NewUrl[]): Promise<(ShortUrl | undefined)[]> {
      const { rows } = await db.raw<{ rows: ShortUrl[] }>(
        `with wish as materialized (
           select distinct on (short_code collate "C") *
           from rows from (json_to_recordset(cast(:rows as json)) as (${insertedTypes}))
             with ordinality as wish (${insertedColumns}, place)
           where not exists (
             select from reserved_keys r where r.short_code = wish.short_code and r.api_key_id <> wish.created_by
           )
           -- In one order, so that two that insert the same codes do not deadlock.
           order by short_code collate "C", place
         ), u as (
           insert into urls (${insertedColumns}) select ${insertedValues} from wish
           on conflict (short_code) do nothing
           returning *
         ), stats as (
           insert into url_stats (url_id) select id from u
         ), used as (
           delete from reserved_keys where short_code in (select short_code from u)
         ), used_again as (
           delete from returned_keys where short_code in (select short_code from u)
         )
         select ${urlColumns} from u`,
        { rows: toInsertedRows(wanted) },
      );
      // Matched here: PostgreSQL, which knows of neither how many there are, would compare each with each.
      const inserted = new Map(rows.map((url) => [wishOf(url), url]));
      return wanted.map((wish) => {
        const url = inserted.get(wishOf(wish));
        inserted.delete(wishOf(wish));
        return url;
      });
    },

    /** Finds a short URL that does what the wanted one would, at `now`, the oldest, or inserts the wanted one;
     *  undefined when its code is taken or reserved for another API key. Of several who want the same at once one inserts. */
    async findOrInsert(wanted: NewUrl, now: Date): Promise<FoundOrInserted | undefined> {
      const found = await findSame(db, wanted, now);
      if (found) return { url: found, isNew: false };
      return await boundedTransaction(db, async (trx) => {
        await trx.raw(
          'select pg_advisory_xact_lock(hashtextextended(:originalUrl, cast(:createdBy as bigint)))',
          { originalUrl: wanted.originalUrl, createdBy: wanted.createdBy },
        );
        const inserted = await findSame(trx, wanted, now);
        if (inserted) return { url: inserted, isNew: false };
        const [url] = await createUrlStore(trx).insertMany([wanted]);
        return url && { url, isNew: true };
      });
    },

    /** The short URL with this code; expired, disabled and deleted ones too. */
    findByCode: async (shortCode: string): Promise<StoredUrl | undefined> =>
      (await findByCodes([shortCode]))[0],

    /** The short URLs that have one of these codes; expired, disabled and deleted ones too. */
    findByCodes,

    /** An owner's short URL with this code, with its counters; expired and disabled ones too. */
    async findWithClicks(shortCode: string, owner: Owner): Promise<ShortUrlWithClicks | undefined> {
      const { rows } = await db.raw<{ rows: ShortUrlWithClicks[] }>(
        `select ${urlColumns}, s.click_count as "clickCount", s.last_accessed_at as "lastAccessedAt"
         from urls u join url_stats s on s.url_id = u.id
         where u.short_code = :shortCode and u.deleted_at is null and ${isOwned}`,
        { shortCode, owner },
      );
      return rows[0];
    },

    /** Changes an owner's short URL, an expired or disabled one too, in one statement: of changes at once none is lost. What the clean-up
     *  has disabled is active again, until the clean-up finds that its time is still over. Resolves to what it is now; undefined
     *  when there is none of these versions. Rejects when it would break a rule: see url-rules.ts. */
    async change(
      shortCode: string,
      changes: Changes,
      owner: Owner,
      versions?: number[],
    ): Promise<StoredUrl | undefined> {
      const { rows } = await db.raw<{ rows: StoredUrl[] }>(
        `update urls u set
           (${changedColumns}) = (
             select ${changedColumns} from json_populate_record(u, cast(:changes as json))
           ),
           is_active = coalesce(cast(:isActive as boolean), u.is_active or u.has_ended), has_ended = false,
           updated_at = now(), version = nextval('url_versions')
         where u.short_code = :shortCode and u.deleted_at is null and ${isOwned} and ${isOneOfVersions}
         returning ${storedColumns}`,
        {
          shortCode,
          owner,
          versions: versions ?? null,
          changes: toChangedColumns(changes),
          isActive: changes.isActive ?? null,
        },
      );
      return rows[0];
    },

    /** Marks an owner's short URL as deleted and resolves to its new version; undefined when there is none of these versions. */
    async delete(
      shortCode: string,
      owner: Owner,
      versions?: number[],
    ): Promise<{ version: number } | undefined> {
      const { rows } = await db.raw<{ rows: { version: number }[] }>(
        `update urls u set deleted_at = now(), updated_at = now(), version = nextval('url_versions')
         where u.short_code = :shortCode and u.deleted_at is null and ${isOwned} and ${isOneOfVersions}
         returning version`,
        { shortCode, owner, versions: versions ?? null },
      );
      return rows[0];
    },

    /** Brings an owner's deleted short URL back, as what it was; undefined when there is none. */
    async restore(shortCode: string, owner: Owner): Promise<StoredUrl | undefined> {
      const { rows } = await db.raw<{ rows: StoredUrl[] }>(
        `update urls u set deleted_at = null, updated_at = now(), version = nextval('url_versions')
         where u.short_code = :shortCode and u.deleted_at is not null and ${isOwned}
         returning ${storedColumns}`,
        { shortCode, owner },
      );
      return rows[0];
    },

    /** Disables up to `limit` short URLs whose time is over at `now`; two callers never get the same one. */
    async deactivateExpired(now: Date, limit: number): Promise<StoredUrl[]> {
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

    /** How many short URLs deactivateExpired and purge would find at `now`. */
    async countToClean(now: Date, retentionDays: number): Promise<number> {
      const { rows } = await db.raw<{ rows: { count: number }[] }>(
        `select (select count(*) from urls where ${isToEnd})
              + (select count(*) from urls u where ${isPastRetention}) as count`,
        { now, retentionDays },
      );
      return rows[0]?.count ?? 0;
    },

    /** Removes up to `limit` short URLs that were deleted or expired more than `retentionDays` ago, with their counters.
     *  In the same statement generated codes go to the returned keys, to be used again after `quarantineDays`, their
     *  clicks into the books, and those that were changed lately, which a cache may not know yet, to the removals. Locks counters in the order of a flush, so that the two do not deadlock. */
    async purge(now: Date, retentionDays: number, quarantineDays: number, limit: number): Promise<number> {
      const { rows } = await db.raw<{ rows: { count: number }[] }>(
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
      return rows[0]?.count ?? 0;
    },

    /** The codes of the latest `limit` short URLs that crawlers may follow at `now`. */
    async findCrawlable(now: Date, limit: number): Promise<string[]> {
      const { rows } = await db.raw<{ rows: { shortCode: string }[] }>(
        `select short_code as "shortCode" from urls
         where crawlable and is_active and deleted_at is null
           and (starts_at is null or starts_at <= :now) and (expires_at is null or expires_at > :now)
         order by id desc limit :limit`,
        { now, limit },
      );
      return rows.map(({ shortCode }) => shortCode);
    },

    /** The `limit` most clicked short URLs that can be redirected to at `now`, the most clicked first. */
    async findMostClicked(now: Date, limit: number): Promise<ShortUrl[]> {
      const { rows } = await db.raw<{ rows: ShortUrl[] }>(
        `select ${urlColumns} from url_stats s join urls u on u.id = s.url_id
         where s.click_count > 0 and u.is_active and u.deleted_at is null
           and (u.expires_at is null or u.expires_at > :now)
         order by s.click_count desc, u.id limit :limit`,
        { now, limit },
      );
      return rows;
    },
  };
}

/** True of a row that has one of `:versions`, if there are any. */
const isOneOfVersions =
  '(cast(:versions as bigint[]) is null or u.version = any(cast(:versions as bigint[])))';

const isToEnd = 'is_active and expires_at <= :now and deleted_at is null';

/** What a wish is known by: of two for the same code, a reservation may favour the second. */
const wishOf = ({ shortCode, createdBy }: Pick<ShortUrl, 'shortCode' | 'createdBy'>) =>
  `${shortCode} ${createdBy}`;

/** Deleted or expired, and longer ago than the retention. Names no column that counting changes. */
const isPastRetention = `(
  u.deleted_at <= cast(:now as timestamptz) - make_interval(days => :retentionDays)
  or not u.is_active and u.expires_at <= cast(:now as timestamptz) - make_interval(days => :retentionDays)
)`;
