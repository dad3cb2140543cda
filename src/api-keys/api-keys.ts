import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Knex } from 'knex';
import { onlyRow } from '../postgres.ts';

export interface ApiKey {
  id: number;
  name: string;
}

export type ApiKeys = ReturnType<typeof createApiKeys>;

const keyShape = /^lm_([0-9a-f]{12})_[\w-]{43}$/;
const hash = (key: string) => createHash('sha256').update(key).digest();

/** API keys: 256 random bits each, of which only a hash is stored. */
export function createApiKeys(db: Knex) {
  return {
    /** Makes a key. `key` is given this once and cannot be had again. */
    async create(name: string): Promise<ApiKey & { key: string }> {
      const publicPart = randomBytes(6).toString('hex');
      const key = `lm_${publicPart}_${randomBytes(32).toString('base64url')}`;
      const row = onlyRow(
        await db.raw<{ rows: ApiKey[] }>(
          `insert into api_keys (name, public_part, key_hash) values (:name, :publicPart, :hash) returning id, name`,
          { name, publicPart, hash: hash(key) },
        ),
      );
      return { ...row, key };
    },

    /** Whose key this is, or undefined for an unknown or revoked one; compared in constant time. */
    async find(key: string): Promise<ApiKey | undefined> {
      const publicPart = keyShape.exec(key)?.[1];
      if (publicPart === undefined) return undefined;
      const { rows } = await db.raw<{ rows: (ApiKey & { key_hash: Buffer })[] }>(
        `select id, name, key_hash from api_keys where public_part = :publicPart and revoked_at is null`,
        { publicPart },
      );
      const [row] = rows;
      if (!row || !timingSafeEqual(row.key_hash, hash(key))) return undefined;
      return { id: row.id, name: row.name };
    },

    /** Every key with its public part, the oldest first. */
    async list(): Promise<(ApiKey & { public_part: string; created_at: Date; revoked_at: Date | null })[]> {
      const { rows } = await db.raw(
        'select id, name, public_part, created_at, revoked_at from api_keys order by id',
      );
      return rows;
    },

    /** Ends a key, which web processes may take to be valid for 2 s more; false when there is no such key in use. */
    async revoke(id: number): Promise<boolean> {
      const { rows } = await db.raw<{ rows: unknown[] }>(
        'update api_keys set revoked_at = now() where id = :id and revoked_at is null returning id',
        { id },
      );
      return rows.length > 0;
    },
  };
}
