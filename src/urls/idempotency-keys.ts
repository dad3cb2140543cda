import type { Knex } from 'knex';
import { type NewUrl, urlColumns } from './url-columns.ts';
import type { ShortUrl } from './url.ts';

/** What tells a request that comes again from another one; one API key's are not those of others. */
export interface IdempotencyKey {
  /** As the client chose it. */
  key: string;
  /** Of all that the request asks for. */
  requestHash: Buffer;
}

/** The key came with another request before. */
export class IdempotencyKeyReused extends Error {
  override readonly name = 'IdempotencyKeyReused';
}

export type IdempotencyKeys = ReturnType<typeof createIdempotencyKeys>;

/** What requests with a key have made; the short URL as it was then, whatever has become of it. */
export function createIdempotencyKeys(db: Knex) {
  return {
    /** What a request with this key has made, and the hash of that request. */
    async find(apiKeyId: number, key: string): Promise<{ url: ShortUrl; requestHash: Buffer } | undefined> {
      const { rows } = await db.raw<{ rows: (ShortUrl & { requestHash: Buffer })[] }>(
        `select ${urlColumns}, k.request_hash as "requestHash"
         from idempotency_keys k, jsonb_populate_record(cast(null as urls), k.made) u
         where k.api_key_id = :apiKeyId and k.key = :key`,
        { apiKeyId, key },
      );
      const [row] = rows;
      if (row === undefined) return undefined;
      const { requestHash, ...url } = row;
      return { url, requestHash };
    },

    /** Removes up to `limit` keys from before a time; two callers never get the same one. */
    async removeOld(before: Date, limit: number): Promise<number> {
      const { rows } = await db.raw<{ rows: { count: number }[] }>(
        `with old as materialized (
           select api_key_id, key from idempotency_keys where created_at <= :before
           order by created_at limit :limit for update skip locked
         ), removed as (
           delete from idempotency_keys where (api_key_id, key) in (select api_key_id, key from old) returning key
         )
         select count(*) as count from removed`,
        { before, limit },
      );
      return rows[0]?.count ?? 0;
    },
  };
}

/** For the statement that inserts `wish` as `u`: notes what came of those wishes that have a key. It fails as a whole when
 *  one of the keys is there, once a statement that is inserting it at this moment has ended. */
export const noteMade = `
  insert into idempotency_keys (api_key_id, key, request_hash, made)
  select u.created_by, k.key, decode(k.request_hash, 'hex'),
    -- Of a password it is enough that there is one.
    to_jsonb(u) || jsonb_build_object('password_hash', case when u.password_hash is not null then '' end)
  from u join wish on wish.short_code = u.short_code
    join json_to_recordset(cast(:idempotencyKeys as json)) as k (place bigint, key text, request_hash text) using (place)
  -- In one order, so that two that insert the same keys do not deadlock.
  order by u.created_by, k.key collate "C"`;

/** The keys of these wishes as JSON that `noteMade` reads. */
export const toNotedKeys = (wanted: NewUrl[]): string =>
  JSON.stringify(
    wanted.flatMap(({ idempotencyKey: given }, i) =>
      given ? [{ place: i + 1, key: given.key, request_hash: given.requestHash.toString('hex') }] : [],
    ),
  );

/** Whether the statement that has `noteMade` failed because a key is there. */
export const isKeyThere = (error: unknown): boolean =>
  error instanceof Error && 'constraint' in error && error.constraint === 'idempotency_keys_pkey';
