import type { Knex } from '../storage/postgres/postgres.ts';

export type KeyStore = ReturnType<typeof createKeyStore>;

/** Keys outside the pool: reserved for other systems, and returned ones that wait for their next use. */
export function createKeyStore(db: Knex) {
  return {
    /** Records keys as reserved for the owner of an API key; leaves out those that a short URL already has. */
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

    /** Takes back those of `keys` that this API key reserved and that no short URL uses; they are free to take at once. */
    async giveBack(keys: string[], apiKeyId: number): Promise<string[]> {
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

    /** Removes up to `limit` returned keys whose quarantine is over; two callers never get the same one. */
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
