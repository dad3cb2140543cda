import type { Knex } from '../../storage/postgres/postgres.ts';

/** Counters of a short URL that was imported from another service. */
export interface ImportedClicks {
  urlId: number;
  clickCount: number;
  lastAccessedAt: Date | null;
}

/** Sets the counters of new short URLs and adds the same clicks to the imported total, in one statement, so that the
 *  audit stays balanced. */
export async function addImportedClicks(db: Knex, imported: ImportedClicks[]): Promise<void> {
  const clicked = imported.filter(
    ({ clickCount, lastAccessedAt }) => clickCount > 0 || lastAccessedAt !== null,
  );
  if (clicked.length === 0) return;
  await db.raw(
    `with imported_row as materialized (
       select * from json_to_recordset(cast(:clicked as json))
         as imported_row ("urlId" bigint, "clickCount" bigint, "lastAccessedAt" timestamptz)
     ), counters as (
       update url_stats set click_count = click_count + "clickCount", last_accessed_at = "lastAccessedAt"
       from imported_row where url_id = "urlId"
     )
     update imported_clicks set clicks = clicks + (select sum("clickCount") from imported_row)`,
    { clicked: JSON.stringify(clicked) },
  );
}
