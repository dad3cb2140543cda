import { type Knex, boundedTransaction } from '../../storage/postgres/postgres.ts';
import { createSearchTextStore } from '../search-text/search-text-store.ts';
import type { ShortUrl, ShortUrlWithClicks, StoredUrl } from '../url.ts';
import { aliasesOf, findAliases, hasCode } from './aliases.ts';
import { createCodeStore } from './code-store.ts';
import {
  changedColumns,
  type Changes,
  changedValues,
  changesSearchText,
  lookUpColumnsOf,
  storedColumns,
  toChangedColumns,
  urlColumns,
} from './columns.ts';
import { createDeletedUrlStore } from './deleted-url-store.ts';
import { editedTags, editsTags, hasFewTags, tagBindings } from './edited-tags.ts';
import { createInsertStore } from './insert-store.ts';
import { isOneOfVersions, isOwned, type Owner } from './owner.ts';
import { prepareRename, type Renaming } from './rename-store.ts';

/** The codes of a deleted short URL, and the version of its deletion. */
export type DeletedVersion = Pick<ShortUrl, 'shortCode' | 'aliases' | 'version'>;

/** The update of a renamed short URL matched no row, because of its tags. */
class NotUpdated extends Error {
  override readonly name = 'NotUpdated';
}

export type UrlStore = ReturnType<typeof createUrlStore>;

/** The table of short URLs. Methods ignore deleted ones unless they state otherwise. */
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

  /** Changes a short URL in one statement, so that no concurrent change is lost. */
  async function update(
    connection: Knex,
    shortCode: string,
    { changes, newCode }: { changes: Changes; newCode?: string },
    { owner, versions }: { owner: Owner; versions: number[] | undefined },
  ): Promise<StoredUrl | undefined> {
    const isTagEdit = editsTags(changes);
    const { rows } = await connection.raw<{ rows: StoredUrl[] }>(
      `update urls u set
         (${changedColumns}) = (
           select ${isTagEdit ? changedValues(editedTags) : changedColumns} from json_populate_record(u, cast(:changes as json))
         ),
         ${newCode === undefined ? '' : 'short_code = :newCode, code_is_generated = false,'}
         is_active = coalesce(cast(:isActive as boolean), u.is_active or u.has_ended), has_ended = false,
         updated_at = now(), version = nextval('url_versions')
       where ${hasCode} and u.deleted_at is null and ${isOwned} and ${isOneOfVersions}
         ${isTagEdit ? `and ${hasFewTags}` : ''}
       returning ${storedColumns}`,
      {
        shortCode,
        owner,
        versions: versions ?? null,
        changes: toChangedColumns(changes),
        isActive: changes.isActive ?? null,
        ...(newCode !== undefined && { newCode }),
        ...(isTagEdit && tagBindings(changes)),
      },
    );
    return rows[0];
  }

  return {
    ...createInsertStore(db),
    ...createDeletedUrlStore(db),
    ...createCodeStore(db),

    /** Finds a short URL by its code or an alias, including expired, disabled and deleted ones. Its short code is the
     *  one that was looked up. */
    findByCode: async (shortCode: string): Promise<StoredUrl | undefined> =>
      (await findByCodes([shortCode]))[0],

    /** Finds short URLs by their codes or aliases, including expired, disabled and deleted ones. Their short codes are
     *  the ones that were looked up. */
    findByCodes,

    /** Returns the aliases of the short URLs with these current codes. */
    findAliases: async (shortCodes: string[]): Promise<string[]> => await findAliases(db, shortCodes),

    /** Finds an owner's short URL with its counters, including expired and disabled ones. */
    async findWithClicks(shortCode: string, owner: Owner): Promise<ShortUrlWithClicks | undefined> {
      const { rows } = await db.raw<{ rows: ShortUrlWithClicks[] }>(
        `select ${urlColumns}, s.click_count as "clickCount", s.last_accessed_at as "lastAccessedAt"
         from urls u join url_stats s on s.url_id = u.id
         where ${hasCode} and u.deleted_at is null and ${isOwned}`,
        { shortCode, owner },
      );
      return rows[0];
    },

    /** The counters of short URLs, in the order of their IDs; undefined for those that do not exist. */
    async findClicks(
      ids: number[],
    ): Promise<(Pick<ShortUrlWithClicks, 'clickCount' | 'lastAccessedAt'> | undefined)[]> {
      const { rows } = await db.raw<{
        rows: ({ id: number } & Pick<ShortUrlWithClicks, 'clickCount' | 'lastAccessedAt'>)[];
      }>(
        `select url_id as id, click_count as "clickCount", last_accessed_at as "lastAccessedAt"
         from url_stats where url_id = any(cast(:ids as bigint[]))`,
        { ids },
      );
      const found = new Map(rows.map(({ id, ...clicks }) => [id, clicks]));
      return ids.map((id) => found.get(id));
    },

    /** Changes an owner's short URL, including expired and disabled ones. One that the clean-up has disabled becomes
     *  active again, until the clean-up runs with a past expiry. Undefined if it does not exist in one of these
     *  versions, or would get too many tags. Rejects when it would violate a rule: see input/rules.ts. */
    async change(
      shortCode: string,
      changes: Changes,
      owner: Owner,
      versions?: number[],
    ): Promise<StoredUrl | undefined> {
      const url = await update(db, shortCode, { changes }, { owner, versions });
      // The job fill-search-texts repeats it after a failure.
      if (url && changesSearchText(changes)) await searchTexts.fillMany([url]).catch(() => 0);
      return url;
    },

    /** Changes a short URL and its code: see Renaming. Concurrent look-ups see the old or the new state. Resolves also
     *  to the previous code. Throws CodeTaken, or an error for which isCodeReserved is true, if the new code belongs
     *  to another short URL or is reserved for another API key. */
    async rename(
      shortCode: string,
      { renaming, changes }: { renaming: Renaming; changes: Changes },
      owner: Owner,
      versions?: number[],
    ): Promise<{ url: StoredUrl; oldCode: string } | undefined> {
      const scope = { owner, versions };
      const work = async (trx: Knex) => {
        const oldCode = await prepareRename(trx, shortCode, renaming, scope);
        if (oldCode === undefined) return undefined;
        const newCode = renaming.to === oldCode ? {} : { newCode: renaming.to };
        const url = await update(trx, oldCode, { changes, ...newCode }, scope);
        // Only an error rolls back what prepareRename has written.
        if (!url) throw new NotUpdated();
        return { url, oldCode };
      };
      const renamed = await boundedTransaction(db, work).catch((error: unknown) => {
        if (error instanceof NotUpdated) return undefined;
        throw error;
      });
      if (renamed) await searchTexts.fillMany([renamed.url]).catch(() => 0);
      return renamed;
    },

    /** Marks an owner's short URL as deleted; undefined if it does not exist in one of these versions. */
    async delete(shortCode: string, owner: Owner, versions?: number[]): Promise<DeletedVersion | undefined> {
      const { rows } = await db.raw<{ rows: DeletedVersion[] }>(
        `update urls u set deleted_at = now(), updated_at = now(), version = nextval('url_versions')
         where ${hasCode} and u.deleted_at is null and ${isOwned} and ${isOneOfVersions}
         returning version, u.short_code as "shortCode", ${aliasesOf} as aliases`,
        { shortCode, owner, versions: versions ?? null },
      );
      return rows[0];
    },

    /** Returns the codes of the latest `limit` short URLs that crawlers may index at `now`. */
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
  };
}
