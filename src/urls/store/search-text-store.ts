import { type Knex, onlyRow } from '../../storage/postgres/postgres.ts';
import { type SearchedFields, searchTextOf } from './search-text.ts';

/** A row whose search text is to be filled. */
export interface Unsearchable extends SearchedFields {
  id: number;
  /** As text: another program may have stored a version that no number in JavaScript is exact for. */
  version: string;
}

export type SearchTextStore = ReturnType<typeof createSearchTextStore>;

/** The texts in which short URLs are searched, where they are missing: see the migration that adds them. */
export function createSearchTextStore(db: Knex) {
  return {
    /** How many short URLs lack a search text. */
    async countMissing(): Promise<number> {
      const result = await db.raw<{ rows: { count: number }[] }>(
        'select count(*) as count from urls where search_text is null',
      );
      return onlyRow(result).count;
    },

    /** Up to `limit` short URLs without a search text that have a higher id than this, by id. */
    async findMissing(afterId: number, limit: number): Promise<Unsearchable[]> {
      const { rows } = await db.raw<{ rows: Unsearchable[] }>(
        `select id, cast(version as text) as version, short_code as "shortCode", original_url as "originalUrl", title,
           array(select tag from unnest(tags) as tag where tag is not null) as tags
         from urls where search_text is null and id > :afterId order by id limit :limit`,
        { afterId, limit },
      );
      return rows;
    },

    /** Fills the search texts of short URLs that still have these versions; resolves to how many were filled. Leaves out those that
     *  another transaction is changing. */
    async fillMany(urls: (SearchedFields & { id: number; version: number | string })[]): Promise<number> {
      const result = await db.raw<{ rows: { count: number }[] }>(
        `with given as materialized (
           select * from unnest(cast(:ids as bigint[]), cast(:versions as bigint[]), cast(:texts as text[]))
             as given (id, version, search_text)
         ), missing as materialized (
           select u.id from urls u join given using (id, version) where u.search_text is null
           order by u.id for update of u skip locked
         ), filled as (
           update urls u set search_text = given.search_text from given
           where u.id = given.id and u.id in (select id from missing) and u.search_text is null
           returning u.id
         )
         select count(*) as count from filled`,
        {
          ids: urls.map(({ id }) => id),
          versions: urls.map(({ version }) => String(version)),
          texts: urls.map(searchTextOf),
        },
      );
      return onlyRow(result).count;
    },
  };
}
