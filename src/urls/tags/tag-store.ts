import { boundedTransaction, type Knex } from '../../storage/postgres/postgres.ts';
import { rethrowTimeout, StatementTimeout } from '../../storage/postgres/statement-timeout.ts';
import type { SearchQuery } from '../../storage/reads/search-query.ts';
import { type SearchedFields, searchTextOf } from '../search-text/search-text.ts';
import { isOwned, type Owner } from '../store/owner.ts';

/** A tag to rename, or to remove without a name, on the short URLs of an owner. */
export interface TagChange {
  tag: string;
  name: string | null;
  owner: Owner;
}

/** SQL that is true for a row of `urls u` of `:owner` with `:tag`; the index of tags needs the second condition. */
const isTagged = `u.tags @> array[cast(:tag as text)] and u.tags <> '{}' and u.deleted_at is null and ${isOwned}`;

/** Finds the IDs of the short URLs with a tag, in order; undefined if there are more than `limit`, or if the search took too long. It stops
 *  at the first row beyond the limit, so that a tag of a million short URLs costs no more than one of a thousand. */
export const createFindFewTagged =
  (search: SearchQuery) =>
  async ({ tag, owner }: TagChange, limit: number): Promise<number[] | undefined> => {
    try {
      const rows = await search<{ id: number }>(
        // Not in order: sorting would read every row.
        `select u.id from urls u where ${isTagged} limit :limit + 1`,
        { tag, owner, limit },
      );
      return rows.length > limit ? undefined : rows.map(({ id }) => id).toSorted((a, b) => a - b);
    } catch (error) {
      if (error instanceof StatementTimeout) return undefined;
      throw error;
    }
  };

export type TagStore = ReturnType<typeof createTagStore>;

/** The tags of short URLs. Deleted ones keep theirs. A change waits `lockMs` for each lock. */
export function createTagStore(db: Knex, lockMs = 10_000) {
  return {
    /** Returns the IDs of up to `limit` short URLs with a tag and a higher ID, by ID. */
    async findTagged({ tag, owner }: TagChange, afterId: number, limit: number): Promise<number[]> {
      const { rows } = await db.raw<{ rows: { id: number }[] }>(
        // Materialized: for a rare tag, reading the table in the order of IDs takes far longer than the index of tags.
        `with tagged as materialized (select u.id from urls u where ${isTagged})
         select id from tagged where id > :afterId order by id limit :limit`,
        { tag, owner, afterId, limit },
      );
      return rows.map(({ id }) => id);
    },

    /** Counts the short URLs with a tag. */
    async countTagged({ tag, owner }: TagChange): Promise<number> {
      const { rows } = await db.raw<{ rows: { count: number }[] }>(
        `select count(*) as count from urls u where ${isTagged}`,
        { tag, owner },
      );
      return rows[0]?.count ?? 0;
    },

    /** Changes the tag of those of these short URLs that still have it, in one transaction that locks them in the order of their IDs;
     *  resolves to their short codes. A name that a short URL already has stays once. Throws StatementTimeout when other sessions hold the rows. */
    async changeTag({ tag, name, owner }: TagChange, ids: number[]): Promise<string[]> {
      return await boundedTransaction(db, async (trx) => {
        await trx.raw(`select set_config('lock_timeout', :lockTimeout, true)`, {
          lockTimeout: `${lockMs}ms`,
        });
        const { rows: urls } = await trx.raw<{ rows: (SearchedFields & { id: number })[] }>(
          `select u.id, u.short_code as "shortCode", u.original_url as "originalUrl", u.title,
                  array(select tag from unnest(u.tags) as tag where tag is not null) as tags
           from urls u where u.id = any(cast(:ids as bigint[])) and ${isTagged} order by u.id for no key update`,
          { ids, tag, owner },
        );
        const changed = urls.map((url) => {
          const tags = changeIn(url.tags, tag, name);
          return { id: url.id, tags, search_text: searchTextOf({ ...url, tags }) };
        });
        await trx.raw(
          `update urls u set tags = changed.tags, search_text = changed.search_text, updated_at = now(), version = nextval('url_versions')
           from json_to_recordset(cast(:changed as json)) as changed (id bigint, tags text[], search_text text) where u.id = changed.id`,
          { changed: JSON.stringify(changed) },
        );
        return urls.map(({ shortCode }) => shortCode);
      }).catch((error: unknown) =>
        rethrowTimeout(error, 'Other changes of these short URLs are in progress. Retry to continue.'),
      );
    },
  };
}

/** The tags with a new name for one of them, or without it, each once. */
function changeIn(tags: string[], tag: string, name: string | null): string[] {
  const changed = tags.flatMap((one) => (one === tag ? (name ?? []) : one));
  return [...new Set(changed)];
}
