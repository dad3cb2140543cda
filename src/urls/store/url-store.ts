import { type Knex, boundedTransaction } from '../../storage/postgres/postgres.ts';
import type { ShortUrl, ShortUrlWithClicks, StoredUrl } from '../url.ts';
import { aliasesOf, findAliases, hasCode } from './aliases.ts';
import {
  changedColumns,
  type Changes,
  changesSearchText,
  insertedColumns,
  insertedTypes,
  insertedValues,
  lookUpColumnsOf,
  type NewUrl,
  storedColumns,
  toChangedColumns,
  toInsertedRows,
  urlColumns,
} from './columns.ts';
import { createDeletedUrlStore } from './deleted-url-store.ts';
import { keyColumns, noteMade } from './idempotency-key.ts';
import { isOneOfVersions, isOwned, type Owner } from './owner.ts';
import { prepareRename, type Renaming } from './rename-store.ts';
import { findSame } from './same-urls.ts';
import { createSearchTextStore } from './search-text-store.ts';

/** A short URL, and whether it was not there before. */
export interface FoundOrInserted {
  url: ShortUrl;
  isNew: boolean;
}

/** The codes of a deleted short URL, and the version as of which it is deleted. */
export type DeletedVersion = Pick<ShortUrl, 'shortCode' | 'aliases' | 'version'>;

export type UrlStore = ReturnType<typeof createUrlStore>;

/** The table of short URLs. Deleted ones are found only where a method says so. */
export function createUrlStore(db: Knex) {
  const searchTexts = createSearchTextStore(db);

  async function findByCodes(shortCodes: string[]): Promise<StoredUrl[]> {
    const { rows } = await db.raw<{ rows: StoredUrl[] }>(
      `select ${lookUpColumnsOf('u.short_code')} from urls u where u.short_code = any(cast(:shortCodes as text[]))
       union all
       select ${lookUpColumnsOf('a.short_code')} from url_aliases a join urls u on u.id = a.url_id
       where a.short_code = any(cast(:shortCodes as text[]))`,
      { shortCodes },
    );
    return rows;
  }

  /** Changes the short URL in one statement: of changes at once none is lost. */
  async function update(
    connection: Knex,
    shortCode: string,
    { changes, newCode }: { changes: Changes; newCode?: string },
    { owner, versions }: { owner: Owner; versions: number[] | undefined },
  ): Promise<StoredUrl | undefined> {
    const { rows } = await connection.raw<{ rows: StoredUrl[] }>(
      `update urls u set
         (${changedColumns}) = (
           select ${changedColumns} from json_populate_record(u, cast(:changes as json))
         ),
         ${newCode === undefined ? '' : 'short_code = :newCode, code_is_generated = false,'}
         is_active = coalesce(cast(:isActive as boolean), u.is_active or u.has_ended), has_ended = false,
         updated_at = now(), version = nextval('url_versions')
       where ${hasCode} and u.deleted_at is null and ${isOwned} and ${isOneOfVersions}
       returning ${storedColumns}`,
      {
        shortCode,
        owner,
        versions: versions ?? null,
        changes: toChangedColumns(changes),
        isActive: changes.isActive ?? null,
        ...(newCode !== undefined && { newCode }),
      },
    );
    return rows[0];
  }

  return {
    ...createDeletedUrlStore(db),

    /** Inserts short URLs and their counters in one statement, which all of them share for better or worse; in their order,
     *  undefined for each whose code is taken or reserved for another API key. The unique index is the judge between those
     *  that ask at once, in one call (the first) or in several. Rejects with what isKeyThere when one has an idempotency key
     *  that is there. */
    async insertMany(wanted: NewUrl[]): Promise<(ShortUrl | undefined)[]> {
      const { rows } = await db.raw<{ rows: ShortUrl[] }>(
        `with wish as materialized (
           select distinct on (short_code collate "C") *
           from rows from (json_to_recordset(cast(:rows as json)) as (${insertedTypes}))
             with ordinality as wish (${insertedColumns}, ${keyColumns}, place)
           where not exists (
             select from reserved_keys r where r.short_code = wish.short_code and r.api_key_id <> wish.created_by
               and (r.reserved_until is null or r.reserved_until > now())
           ) and not exists (select from url_aliases a where a.short_code = wish.short_code)
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
         ), noted as (${noteMade})
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

    /** The short URL with this code, or old code; expired, disabled and deleted ones too. Its short code is the one it was found by. */
    findByCode: async (shortCode: string): Promise<StoredUrl | undefined> =>
      (await findByCodes([shortCode]))[0],

    /** The short URLs that have these codes, or old codes; expired, disabled and deleted ones too. The short code of each is the one
     *  it was found by. */
    findByCodes,

    /** The old codes of the short URLs that have these current codes. */
    findAliases: async (shortCodes: string[]): Promise<string[]> => await findAliases(db, shortCodes),

    /** An owner's short URL with this code, with its counters; expired and disabled ones too. */
    async findWithClicks(shortCode: string, owner: Owner): Promise<ShortUrlWithClicks | undefined> {
      const { rows } = await db.raw<{ rows: ShortUrlWithClicks[] }>(
        `select ${urlColumns}, s.click_count as "clickCount", s.last_accessed_at as "lastAccessedAt"
         from urls u join url_stats s on s.url_id = u.id
         where ${hasCode} and u.deleted_at is null and ${isOwned}`,
        { shortCode, owner },
      );
      return rows[0];
    },

    /** Changes an owner's short URL, an expired or disabled one too. What the clean-up
     *  has disabled is active again, until the clean-up finds that its time is still over. Resolves to what it is now; undefined
     *  when there is none of these versions. Rejects when it would break a rule: see url-rules.ts. */
    async change(
      shortCode: string,
      changes: Changes,
      owner: Owner,
      versions?: number[],
    ): Promise<StoredUrl | undefined> {
      const url = await update(db, shortCode, { changes }, { owner, versions });
      // The job does what fails here.
      if (url && changesSearchText(changes)) await searchTexts.fillMany([url]).catch(() => 0);
      return url;
    },

    /** The same, and gives the short URL another code: see Renaming. Whenever it is looked up, one of the two states is found. Resolves
     *  also to the code that it had before. Throws CodeTaken, or what isCodeHeld, where the new code belongs to another short URL
     *  or is reserved for another API key. */
    async rename(
      shortCode: string,
      { renaming, changes }: { renaming: Renaming; changes: Changes },
      owner: Owner,
      versions?: number[],
    ): Promise<{ url: StoredUrl; oldCode: string } | undefined> {
      const asked = { owner, versions };
      const renamed = await boundedTransaction(db, async (trx) => {
        const oldCode = await prepareRename(trx, shortCode, renaming, asked);
        if (oldCode === undefined) return undefined;
        const newCode = renaming.to === oldCode ? {} : { newCode: renaming.to };
        const url = await update(trx, oldCode, { changes, ...newCode }, asked);
        return url && { url, oldCode };
      });
      if (renamed) await searchTexts.fillMany([renamed.url]).catch(() => 0);
      return renamed;
    },

    /** Marks an owner's short URL as deleted and resolves to its codes and its new version; undefined when there is none of these
     *  versions. */
    async delete(shortCode: string, owner: Owner, versions?: number[]): Promise<DeletedVersion | undefined> {
      const { rows } = await db.raw<{ rows: DeletedVersion[] }>(
        `update urls u set deleted_at = now(), updated_at = now(), version = nextval('url_versions')
         where ${hasCode} and u.deleted_at is null and ${isOwned} and ${isOneOfVersions}
         returning version, u.short_code as "shortCode", ${aliasesOf} as aliases`,
        { shortCode, owner, versions: versions ?? null },
      );
      return rows[0];
    },

    /** Brings an owner's deleted short URL back, as what it was; undefined when there is none. */
    async restore(shortCode: string, owner: Owner): Promise<StoredUrl | undefined> {
      const { rows } = await db.raw<{ rows: StoredUrl[] }>(
        `update urls u set deleted_at = null, updated_at = now(), version = nextval('url_versions')
         where ${hasCode} and u.deleted_at is not null and ${isOwned}
         returning ${storedColumns}`,
        { shortCode, owner },
      );
      return rows[0];
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

/** What a wish is known by: of two for the same code, a reservation may favour the second. */
const wishOf = ({ shortCode, createdBy }: Pick<ShortUrl, 'shortCode' | 'createdBy'>) =>
  `${shortCode} ${createdBy}`;
