import type { Knex } from '../storage/postgres/postgres.ts';

export type KeyStore = ReturnType<typeof createKeyStore>;

/** Keys outside the pool: keys reserved for other systems, and returned keys in their reuse cooldown. */
export function createKeyStore(db: Knex) {
  return {
    /** Reserves keys for the owner of an API key; skips those that a short URL already uses. */
    async reserve(keys: string[], apiKeyId: number): Promise<string[]> {
      const { rows } = await db.raw<{ rows: { short_code: string }[] }>(
        `insert into reserved_keys (short_code, api_key_id)
         select key, cast(:apiKeyId as bigint) from unnest(cast(:keys as text[])) as key
         where not exists (select from urls where short_code = key)
           and not exists (select from url_aliases where short_code = key)
         on conflict do nothing
         returning short_code`,
        { keys, apiKeyId },
      );
      return rows.map((row) => row.short_code);
    },

    /** Releases the keys that this API key reserved and that no short URL uses. They are available again at once. */
    async release(keys: string[], apiKeyId: number): Promise<string[]> {
      const { rows } = await db.raw<{ rows: { short_code: string }[] }>(
        `with unused as (
           delete from reserved_keys
           where short_code = any(cast(:keys as text[])) and api_key_id = :apiKeyId and reserved_until is null
             and not exists (select from urls where urls.short_code = reserved_keys.short_code)
           returning short_code
         )
         insert into returned_keys (short_code, available_at) select short_code, now() from unused
         on conflict do nothing
         returning short_code`,
        { keys, apiKeyId },
      );
      return rows.map((row) => row.short_code);
    },

    /** Removes up to `limit` returned keys whose reuse cooldown has ended. Concurrent callers never get the same key. */
    async takeReturned(limit: number): Promise<string[]> {
      const { rows } = await db.raw<{ rows: { short_code: string }[] }>(
        `with available as materialized (
           select short_code from returned_keys where available_at <= now()
           order by available_at limit :limit for update skip locked
         )
         delete from returned_keys where short_code in (select short_code from available)
           and not exists (select from urls where urls.short_code = returned_keys.short_code)
           and not exists (select from url_aliases a where a.short_code = returned_keys.short_code)
         returning short_code`,
        { limit },
      );
      return rows.map((row) => row.short_code);
    },
  };
}
