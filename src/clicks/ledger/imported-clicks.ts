import type { Knex } from '../../storage/postgres/postgres.ts';

/** The counters that a short URL brings along from another service. */
export interface ImportedClicks {
  urlId: number;
  clickCount: number;
  lastAccessedAt: Date | null;
}

/** Gives new short URLs the counters that they had elsewhere, and books those clicks as imported, so that the books still balance:
 *  both happen, or neither. */
export async function addImportedClicks(db: Knex, imported: ImportedClicks[]): Promise<void> {
  const clicked = imported.filter(
    ({ clickCount, lastAccessedAt }) => clickCount > 0 || lastAccessedAt !== null,
  );
  if (clicked.length === 0) return;
  await db.raw(
    `with brought as materialized (
       select * from json_to_recordset(cast(:clicked as json))
         as brought ("urlId" bigint, "clickCount" bigint, "lastAccessedAt" timestamptz)
     ), counters as (
       update url_stats set click_count = click_count + "clickCount", last_accessed_at = "lastAccessedAt"
       from brought where url_id = "urlId"
     )
     update imported_clicks set clicks = clicks + (select sum("clickCount") from brought)`,
    { clicked: JSON.stringify(clicked) },
  );
}
