import { type Knex, onlyRow } from '../../storage/postgres/postgres.ts';
import { type SearchedFields, searchTextOf } from './search-text.ts';

/** A row without a search text. */
export interface UrlWithoutSearchText extends SearchedFields {
  id: number;
  /** As a string: another program may store a version beyond JavaScript's safe range. */
  version: string;
}

export type SearchTextStore = ReturnType<typeof createSearchTextStore>;

/** The search texts of short URLs. */
export function createSearchTextStore(db: Knex) {
  return {
    /** Counts the short URLs without a search text. */
    async countMissing(): Promise<number> {
      const result = await db.raw<{ rows: { count: number }[] }>(
        'select count(*) as count from urls where search_text is null',
      );
      return onlyRow(result).count;
    },

    /** Returns up to `limit` short URLs without a search text with a higher id than this, by id. */
    async findMissing(afterId: number, limit: number): Promise<UrlWithoutSearchText[]> {
      const { rows } = await db.raw<{ rows: UrlWithoutSearchText[] }>(
        `select id, cast(version as text) as version, short_code as "shortCode", original_url as "originalUrl", title,
           array(select tag from unnest(tags) as tag where tag is not null) as tags
         from urls where search_text is null and id > :afterId order by id limit :limit`,
        { afterId, limit },
      );
      return rows;
    },

    /** Sets the search texts of short URLs that still have these versions; resolves to their number. Skips rows that
     *  another transaction has locked. */
    async fillMany(urls: (SearchedFields & { id: number; version: number | string })[]): Promise<number> {
      const result = await db.raw<{ rows: { count: number }[] }>(
        `with input as materialized (
           select * from unnest(cast(:ids as bigint[]), cast(:versions as bigint[]), cast(:texts as text[]))
             as input (id, version, search_text)
         ), missing as materialized (
           select u.id from urls u join input using (id, version) where u.search_text is null
           order by u.id for update of u skip locked
         ), filled as (
           update urls u set search_text = input.search_text from input
           where u.id = input.id and u.id in (select id from missing) and u.search_text is null
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
