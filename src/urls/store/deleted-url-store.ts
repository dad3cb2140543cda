import type { Knex } from '../../storage/postgres/postgres.ts';
import type { UrlChange } from '../changes/change.ts';
import type { StoredUrl } from '../url.ts';
import { hasCode } from './aliases.ts';
import {
  insertedColumns,
  insertedTypes,
  type NewUrl,
  settingColumns,
  storedColumns,
  toInsertedRows,
} from './columns.ts';
import { idempotencyColumns, recordResults } from './idempotency-key.ts';
import { isOneOfVersions, isOwned, type Owner } from './owner.ts';
import { purgeStatement, type Retention } from './purge.ts';

/** A deleted short URL before its purge. */
export interface DeletedUrl {
  shortCode: string;
  createdBy: number | null;
  deletedAt: Date;
  isActive: boolean;
  expiresAt: Date | null;
  /** Whether the code is an alias. */
  isAlias: boolean;
}

/** Deleted short URLs, which keep their codes until they are purged, and the purge of single ones. */
export function createDeletedUrlStore(db: Knex) {
  return {
    /** Returns the deleted short URLs with these codes or aliases, in order; undefined for each code without one. */
    async findDeleted(shortCodes: string[]): Promise<(DeletedUrl | undefined)[]> {
      const { rows } = await db.raw<{ rows: DeletedUrl[] }>(
        `with found (short_code, id, is_alias) as (
           select short_code, id, false from urls where short_code = any(cast(:shortCodes as text[]))
           union all
           select short_code, url_id, true from url_aliases where short_code = any(cast(:shortCodes as text[]))
         )
         select found.short_code as "shortCode", u.created_by as "createdBy", u.deleted_at as "deletedAt",
           u.is_active as "isActive", u.expires_at as "expiresAt", found.is_alias as "isAlias"
         from found join urls u on u.id = found.id where u.deleted_at is not null`,
        { shortCodes },
      );
      const found = new Map(rows.map((url) => [url.shortCode, url]));
      return shortCodes.map((shortCode) => found.get(shortCode));
    },

    /** Restores an owner's deleted short URL unchanged; undefined if there is none. */
    async restore(shortCode: string, owner: Owner): Promise<StoredUrl | undefined> {
      const { rows } = await db.raw<{ rows: StoredUrl[] }>(
        `update urls u set deleted_at = null, updated_at = now(), version = nextval('url_versions')
         where ${hasCode} and u.deleted_at is not null and ${isOwned}
         returning ${storedColumns}`,
        { shortCode, owner },
      );
      return rows[0];
    },

    /** Restores deleted short URLs of the API keys that created them, overwritten with the new fields. Original URL
     *  and settings are overwritten and the usage starts at 0; id, clicks and creation time stay. In order; undefined for
     *  each code without a deleted short URL of its API key. If several have the same code, the first is restored.
     *  Rejects with an error for which isIdempotencyKeyConflict is true when a key exists, and then restores none. */
    async restoreAs(urls: NewUrl[]): Promise<(StoredUrl | undefined)[]> {
      const { rows } = await db.raw<{ rows: StoredUrl[] }>(
        `with input as materialized (
           select distinct on (short_code collate "C") *
           from rows from (json_to_recordset(cast(:rows as json)) as (${insertedTypes}))
             with ordinality as input (${insertedColumns}, ${idempotencyColumns}, ordinal)
           order by short_code collate "C", ordinal
         ), deleted as materialized (
           select d.id from urls d join input using (short_code, created_by) where d.deleted_at is not null
           order by d.short_code for update of d
         ), u as (
           update urls d set ${overwritten}, has_ended = false, deleted_at = null, updated_at = now(),
             version = nextval('url_versions')
           from input
           where d.short_code = input.short_code and d.id in (select id from deleted) and d.deleted_at is not null
           returning d.*
         ), usage as (
           delete from url_usage where url_id in (select id from u)
         ), recorded as (${recordResults})
         select ${storedColumns} from u`,
        { rows: toInsertedRows(urls) },
      );
      const restored = new Map(rows.map((url) => [url.shortCode, url]));
      return urls.map(({ shortCode }) => {
        const url = restored.get(shortCode);
        restored.delete(shortCode);
        return url;
      });
    },

    /** Purges a short URL, deleted or not, and reserves its codes and aliases for the API key that created it for the
     *  retention of a deletion. Resolves to its codes with the versions of their removal; undefined if it does not
     *  exist in one of these versions. */
    async purgeOne(
      id: number,
      { now, retention, versions }: { now: Date; retention: Retention; versions?: number[] | undefined },
    ): Promise<UrlChange[] | undefined> {
      const { rows } = await db.raw<{ rows: UrlChange[] }>(
        `${purgeStatement(
          `select u.id from urls u where u.id = :id and ${isOneOfVersions} for update`,
          // Higher than any cached version, even one lifted to the floor of an epoch.
          { needsRemoval: 'true', removedVersion: `nextval('url_versions')` },
        )}, codes as (
           select short_code, created_by, removed_version from purged
           union all
           select a.short_code, p.created_by, nextval('url_versions') from purged p, url_aliases a where a.url_id = :id
         ), reserved as (
           insert into reserved_keys (short_code, api_key_id, reserved_until)
           select short_code, created_by, cast(:now as timestamptz) + make_interval(days => :days)
           from codes where created_by is not null and :days > 0
           on conflict (short_code) do nothing
         )
         select short_code as "shortCode", removed_version as version from codes`,
        { id, versions: versions ?? null, now, ...retention },
      );
      return rows.length > 0 ? rows : undefined;
    },
  };
}

/** The columns that restoreAs overwrites. */
const overwritten = ['original_url', 'search_text', ...settingColumns]
  .map((column) => `${column} = input.${column}`)
  .join(', ');
