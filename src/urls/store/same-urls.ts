import type { Knex } from '../../storage/postgres/postgres.ts';
import type { ShortUrl } from '../url.ts';
import { insertedTypes, type NewUrl, settingColumns, toInsertedRows, urlColumns } from './columns.ts';

const columnsOf = (row: string) => settingColumns.map((column) => `${row}.${column}`).join(', ');

/** SQL that is true for a row of `urls u` that is equivalent to `input`: the same API key, original URL and settings,
 *  and the custom code, if any. Short URLs with access rules or an expiry never match, because each of them is meant
 *  for one recipient. */
const isSame = `
  hashtextextended(u.original_url, 0) = hashtextextended(input.original_url, 0) and u.created_by = input.created_by
  and u.original_url = input.original_url and (input.code_is_generated or u.short_code = input.short_code)
  and row(${columnsOf('u')}) is not distinct from row(${columnsOf('input')})
  and u.password_hash is null and u.max_clicks is null and not u.is_one_time
  and u.is_active and u.deleted_at is null and (u.expires_at is null or u.expires_at > :now)`;

/** Returns the oldest equivalent short URL at `now`. */
export async function findSame(db: Knex, url: NewUrl, now: Date): Promise<ShortUrl | undefined> {
  const { rows } = await db.raw<{ rows: ShortUrl[] }>(
    `select ${urlColumns} from urls u, json_to_recordset(cast(:rows as json)) as input (${insertedTypes})
     where ${isSame} order by u.id limit 1`,
    { rows: toInsertedRows([url]), now },
  );
  return rows[0];
}
