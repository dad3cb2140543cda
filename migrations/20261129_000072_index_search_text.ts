import type { Knex } from 'knex';
import { createIndexConcurrently, dropIndexConcurrently } from '../src/storage/schema/concurrent-index.ts';

/** Built while the table is read and written; each statement can run again. */
export const transaction = false;

/** The indexes of the search text. Rows without one are searched as they are stored, by a smaller index of those rows only. Without
 *  the extension pg_trgm a search reads the whole table. */
export async function up(db: Knex): Promise<void> {
  await createIndexConcurrently(db, {
    name: 'urls_without_search_text',
    definition: 'on urls (id) where search_text is null',
  });
  const opclass = await findTrigrams(db);
  if (opclass === undefined) return;
  await createIndexConcurrently(db, {
    name: 'urls_search_text',
    definition: `on urls using gin (search_text ${opclass})`,
  });
  await createIndexConcurrently(db, {
    name: 'urls_stored_text',
    definition: `on urls using gin (searched_text(short_code, title, original_url) ${opclass}) where search_text is null`,
  });
  await dropIndexConcurrently(db, 'urls_searched_text');
}

export async function down(db: Knex): Promise<void> {
  const opclass = await findTrigrams(db);
  if (opclass !== undefined) {
    await createIndexConcurrently(db, {
      name: 'urls_searched_text',
      definition: `on urls using gin (searched_text(short_code, title, original_url) ${opclass})`,
    });
  }
  for (const name of ['urls_stored_text', 'urls_search_text', 'urls_without_search_text'])
    await dropIndexConcurrently(db, name);
}

/** The operator class of trigrams, if this role may use the extension. */
async function findTrigrams(db: Knex): Promise<string | undefined> {
  const { rows } = await db.raw<{ rows: { schema: string }[] }>(
    `select quote_ident(nspname) as schema from pg_extension e join pg_namespace n on n.oid = e.extnamespace
     where extname = 'pg_trgm' and has_schema_privilege(n.oid, 'usage')`,
  );
  return rows[0] && `${rows[0].schema}.gin_trgm_ops`;
}
