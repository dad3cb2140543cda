import type { Knex } from '../../storage/postgres/postgres.ts';
import { urlColumns } from '../store/columns.ts';
import type { ShortUrl } from '../url.ts';

/** One of the short URLs that a request with a key asks for. */
export interface AskedItem {
  apiKeyId: number;
  key: string;
  item: number;
}

/** What a request has made, as it was then, and the hash of that request. */
export interface MadeItem {
  url: ShortUrl;
  requestHash: Buffer;
}

export type IdempotencyKeys = ReturnType<typeof createIdempotencyKeys>;

/** What requests with a key have made, whatever has become of it. */
export function createIdempotencyKeys(db: Knex) {
  return {
    /** What was made of each, in their order; undefined for those of which nothing was. */
    async findMany(asked: AskedItem[]): Promise<(MadeItem | undefined)[]> {
      const { rows } = await db.raw<{ rows: (ShortUrl & { place: number; requestHash: Buffer })[] }>(
        `select ${urlColumns}, asked.place, k.request_hash as "requestHash"
         from json_to_recordset(cast(:asked as json)) as asked (place integer, api_key_id bigint, key text, item integer)
           join idempotency_keys k using (api_key_id, key, item),
           jsonb_populate_record(cast(null as urls), k.made) u`,
        {
          asked: JSON.stringify(
            asked.map(({ apiKeyId, key, item }, place) => ({ place, api_key_id: apiKeyId, key, item })),
          ),
        },
      );
      const made = new Map(rows.map(({ place, requestHash, ...url }) => [place, { url, requestHash }]));
      return asked.map((_, place) => made.get(place));
    },

    /** The hash of a request that has made something with this key. */
    async findRequestHash(apiKeyId: number, key: string): Promise<Buffer | undefined> {
      const { rows } = await db.raw<{ rows: { requestHash: Buffer }[] }>(
        `select request_hash as "requestHash" from idempotency_keys
         where api_key_id = :apiKeyId and key = :key limit 1`,
        { apiKeyId, key },
      );
      return rows[0]?.requestHash;
    },

    /** Removes up to `limit` keys from before a time; two callers never get the same one. */
    async removeOld(before: Date, limit: number): Promise<number> {
      const { rows } = await db.raw<{ rows: { count: number }[] }>(
        `with old as materialized (
           select api_key_id, key, item from idempotency_keys where created_at <= :before
           order by created_at limit :limit for update skip locked
         ), removed as (
           delete from idempotency_keys where (api_key_id, key, item) in (select api_key_id, key, item from old)
           returning key
         )
         select count(*) as count from removed`,
        { before, limit },
      );
      return rows[0]?.count ?? 0;
    },
  };
}
