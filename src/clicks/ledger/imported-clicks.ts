import type { Knex } from '../../storage/postgres/postgres.ts';

/** Adds the clicks of short URLs that were inserted with their counters to the imported total. In the transaction of the insert, so that the
 *  audit stays balanced. */
export async function addImportedClicks(trx: Knex, clicks: number): Promise<void> {
  if (clicks > 0) await trx.raw('update imported_clicks set clicks = clicks + :clicks', { clicks });
}
