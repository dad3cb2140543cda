import type { Knex } from '../../storage/postgres/postgres.ts';
import type { ShortUrl } from '../url.ts';
import { insertedTypes, type NewUrl, settingColumns, toInsertedRows, urlColumns } from './columns.ts';

const columnsOf = (row: string) => settingColumns.map((column) => `${row}.${column}`).join(', ');

/** True of a row of `urls u` that does the same as `wish`: made with the same API key, it leads to the same original URL under the same
 *  settings, under the custom code if there is one. Never of one that is not for everybody or not for ever: for that, whoever asks
 *  for a short URL wants one of his own. */
const isSame = `
  hashtextextended(u.original_url, 0) = hashtextextended(wish.original_url, 0) and u.created_by = wish.created_by
  and u.original_url = wish.original_url and (wish.code_is_generated or u.short_code = wish.short_code)
  and row(${columnsOf('u')}) is not distinct from row(${columnsOf('wish')})
  and u.password_hash is null and u.max_clicks is null and not u.is_one_time
  and u.is_active and u.deleted_at is null and (u.expires_at is null or u.expires_at > :now)`;

/** The oldest short URL that does at `now` what the wanted one would. */
export async function findSame(db: Knex, wanted: NewUrl, now: Date): Promise<ShortUrl | undefined> {
  const { rows } = await db.raw<{ rows: ShortUrl[] }>(
    `select ${urlColumns} from urls u, json_to_recordset(cast(:rows as json)) as wish (${insertedTypes})
     where ${isSame} order by u.id limit 1`,
    { rows: toInsertedRows([wanted]), now },
  );
  return rows[0];
}
