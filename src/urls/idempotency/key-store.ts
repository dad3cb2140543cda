import type { Knex } from '../../storage/postgres/postgres.ts';
import { urlColumns } from '../store/columns.ts';
import type { ShortUrl } from '../url.ts';

declare module 'knex/types/tables.js' {
  interface Tables {
    idempotency_keys: {
      api_key_id: number;
      key: string;
      item: number;
      request_hash: Buffer;
      /** The row of `urls`. */
      result: Record<string, unknown>;
      created_at: Date;
    };
  }
}

/** Identifies one short URL of a request with an idempotency key. */
export interface IdempotentItem {
  apiKeyId: number;
  key: string;
  item: number;
}

/** The short URL as it was created, and the hash of the request. */
export interface RecordedResult {
  url: ShortUrl;
  requestHash: Buffer;
}

export type IdempotencyKeys = ReturnType<typeof createIdempotencyKeys>;

/** The recorded results of requests with idempotency keys. They do not change when their short URLs do. */
export function createIdempotencyKeys(db: Knex) {
  return {
    /** Returns the recorded result of each item, in order; undefined where none exists. */
    async findMany(requested: IdempotentItem[]): Promise<(RecordedResult | undefined)[]> {
      const { rows } = await db.raw<{ rows: (ShortUrl & { ordinal: number; requestHash: Buffer })[] }>(
        `select ${urlColumns}, requested.ordinal, k.request_hash as "requestHash"
         from json_to_recordset(cast(:requested as json)) as requested (ordinal integer, api_key_id bigint, key text, item integer)
           join idempotency_keys k using (api_key_id, key, item),
           jsonb_populate_record(cast(null as urls), k.result) u`,
        {
          requested: JSON.stringify(
            requested.map(({ apiKeyId, key, item }, ordinal) => ({
              ordinal,
              api_key_id: apiKeyId,
              key,
              item,
            })),
          ),
        },
      );
      const results = new Map(
        rows.map(({ ordinal, requestHash, ...url }) => [ordinal, { url, requestHash }]),
      );
      return requested.map((_, ordinal) => results.get(ordinal));
    },

    /** Returns the hash of a recorded request with this key. */
    async findRequestHash(apiKeyId: number, key: string): Promise<Buffer | undefined> {
      const row = await db('idempotency_keys').where({ api_key_id: apiKeyId, key }).first('request_hash');
      return row?.request_hash;
    },

    /** Deletes up to `limit` keys from before a time; resolves to their number. Concurrent callers never delete the
     *  same one. */
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
