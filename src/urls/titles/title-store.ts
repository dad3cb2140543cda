import type { Knex } from '../../storage/postgres/postgres.ts';
import { createSearchTextStore } from '../search-text/search-text-store.ts';
import { codesOf } from '../store/aliases.ts';
import { storedColumns } from '../store/columns.ts';
import type { StoredUrl } from '../url.ts';

/** A short URL whose page may have a title for it. */
export interface UntitledUrl {
  id: number;
  originalUrl: string;
}

export type TitleStore = ReturnType<typeof createTitleStore>;

/** Titles of short URLs that were created without one. */
export function createTitleStore(db: Knex) {
  const searchTexts = createSearchTextStore(db);

  return {
    /** Finds an active short URL without a title. Those with a password or for one use do not exist here: to open their page may be what they
     *  protect, or use it up. */
    async findUntitled(id: number): Promise<UntitledUrl | undefined> {
      const { rows } = await db.raw<{ rows: UntitledUrl[] }>(
        `select id, original_url as "originalUrl" from urls
         where id = :id and title is null and deleted_at is null and is_active
           and password_hash is null and not is_one_time`,
        { id },
      );
      return rows[0];
    },

    /** Sets the title of a short URL that still has none, and still leads to the page. Resolves to its codes; none if it was changed
     *  meanwhile. */
    async setTitle({ id, originalUrl }: UntitledUrl, title: string): Promise<string[]> {
      const { rows } = await db.raw<{ rows: StoredUrl[] }>(
        `update urls u set title = :title, updated_at = now(), version = nextval('url_versions')
         where u.id = :id and u.title is null and u.original_url = :originalUrl and u.deleted_at is null
         returning ${storedColumns}`,
        { id, originalUrl, title },
      );
      // The job fill-search-texts repeats it after a failure.
      if (rows.length > 0) await searchTexts.fillMany(rows).catch(() => 0);
      return rows.flatMap(codesOf);
    },
  };
}
