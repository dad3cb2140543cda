import { timingSafeEqual } from 'node:crypto';
import { type Knex, onlyRow } from '../storage/postgres/postgres.ts';
import {
  type ApiKey,
  ApiKeyNotFound,
  type Permissions,
  PermissionsContradict,
  type StoredApiKey,
} from './api-key.ts';
import { createSecret, hashOf, publicPartOf } from './key-secret.ts';

export type ApiKeys = ReturnType<typeof createApiKeys>;

/** The settings of a key, for create and update. */
export type ApiKeySettings = Permissions & Pick<StoredApiKey, 'name' | 'expiresAt'>;

/** The columns of a StoredApiKey. */
const columns = `id, name, scopes, own_urls_only as "ownUrlsOnly", public_part as "publicPart", created_at as "createdAt",
  expires_at as "expiresAt", last_used_at as "lastUsedAt", rotated_at as "rotatedAt",
  case when previous_until > now() then previous_until end as "previousUntil", revoked_at as "revokedAt"`;

/** API keys; only hashes of their secrets are stored. Web processes cache keys for up to 2 s. */
export function createApiKeys(db: Knex) {
  return {
    /** Creates a key; by default with the scope `admin` and without expiry. `key` is the secret, which cannot be read again. Throws
     *  PermissionsContradict. */
    async create(
      name: string,
      settings: Partial<ApiKeySettings> = {},
    ): Promise<StoredApiKey & { key: string }> {
      const { scopes = ['admin'], ownUrlsOnly = false, expiresAt = null } = settings;
      const { key, publicPart, hash } = createSecret();
      const result = db.raw<{ rows: StoredApiKey[] }>(
        `insert into api_keys (name, scopes, own_urls_only, expires_at, public_part, key_hash)
         values (:name, cast(:scopes as text[]), :ownUrlsOnly, :expiresAt, :publicPart, :hash)
         returning ${columns}`,
        { name, scopes, ownUrlsOnly, expiresAt, publicPart, hash },
      );
      return { ...onlyRow(await rejectContradiction(result)), key };
    },

    /** The API key with this secret; undefined if unknown, revoked or expired. Compares in constant time. */
    async find(key: string): Promise<ApiKey | undefined> {
      const publicPart = publicPartOf(key);
      if (publicPart === undefined) return undefined;
      const isValid = 'revoked_at is null and (expires_at is null or expires_at > now())';
      const { rows } = await db.raw<{ rows: (ApiKey & { hash: Buffer })[] }>(
        `select id, name, scopes, own_urls_only as "ownUrlsOnly", key_hash as hash
         from api_keys where public_part = :publicPart and ${isValid}
         union all
         select id, name, scopes, own_urls_only, previous_key_hash
         from api_keys where previous_public_part = :publicPart and previous_until > now() and ${isValid}`,
        { publicPart },
      );
      const given = hashOf(key);
      const row = rows.find(({ hash }) => timingSafeEqual(hash, given));
      return row && { id: row.id, name: row.name, scopes: row.scopes, ownUrlsOnly: row.ownUrlsOnly };
    },

    /** The key with this ID, even if revoked. Throws ApiKeyNotFound. */
    async get(id: number): Promise<StoredApiKey> {
      return getOnlyRow(await db.raw(`select ${columns} from api_keys where id = :id`, { id }));
    },

    /** Keys with an ID above `after`, oldest first, including revoked ones; all of them without a `limit`. */
    async list({ after = 0, limit = null }: { after?: number; limit?: number | null } = {}): Promise<
      StoredApiKey[]
    > {
      const { rows } = await db.raw<{ rows: StoredApiKey[] }>(
        `select ${columns} from api_keys where id > :after order by id limit :limit`,
        { after, limit },
      );
      return rows;
    },

    /** Changes the given settings. Throws ApiKeyNotFound and PermissionsContradict. */
    async update(id: number, settings: Partial<ApiKeySettings>): Promise<StoredApiKey> {
      const { name = null, scopes = null, ownUrlsOnly = null, expiresAt } = settings;
      const result = db.raw<{ rows: StoredApiKey[] }>(
        `update api_keys set
           name = coalesce(:name, name),
           scopes = coalesce(cast(:scopes as text[]), scopes),
           own_urls_only = coalesce(:ownUrlsOnly, own_urls_only),
           expires_at = case when :keepsExpiry then expires_at else :expiresAt end
         where id = :id and revoked_at is null returning ${columns}`,
        {
          id,
          name,
          scopes,
          ownUrlsOnly,
          keepsExpiry: expiresAt === undefined,
          expiresAt: expiresAt ?? null,
        },
      );
      return getOnlyRow(await rejectContradiction(result));
    },

    /** Replaces the secret of a key. The current secret stays valid for `graceSeconds`; an older one becomes invalid. Throws ApiKeyNotFound. */
    async rotate(id: number, graceSeconds: number): Promise<StoredApiKey & { key: string }> {
      const { key, publicPart, hash } = createSecret();
      const result = await db.raw<{ rows: StoredApiKey[] }>(
        `update api_keys set
           previous_public_part = public_part, previous_key_hash = key_hash,
           previous_until = now() + make_interval(secs => :graceSeconds),
           public_part = :publicPart, key_hash = :hash, rotated_at = now()
         where id = :id and revoked_at is null returning ${columns}`,
        { id, graceSeconds, publicPart, hash },
      );
      return { ...getOnlyRow(result), key };
    },

    /** Revokes a key. Throws ApiKeyNotFound, also for a revoked key. */
    async revoke(id: number): Promise<void> {
      getOnlyRow(
        await db.raw<{ rows: StoredApiKey[] }>(
          `update api_keys set revoked_at = now() where id = :id and revoked_at is null returning ${columns}`,
          { id },
        ),
      );
    },

    /** Records that keys are used in this minute. Skips rows that another transaction has locked. */
    async recordUsage(ids: number[]): Promise<void> {
      await db.raw(
        `update api_keys set last_used_at = date_trunc('minute', now()) where id in (
           select id from api_keys where id = any(cast(:ids as bigint[]))
             and (last_used_at is null or last_used_at < date_trunc('minute', now()))
           for update skip locked
         )`,
        { ids },
      );
    },
  };
}

function getOnlyRow({ rows }: { rows: StoredApiKey[] }): StoredApiKey {
  const [row] = rows;
  if (row === undefined) throw new ApiKeyNotFound();
  return row;
}

async function rejectContradiction<Result>(result: Promise<Result>): Promise<Result> {
  try {
    return await result;
  } catch (error) {
    const isContradiction =
      error instanceof Error && 'constraint' in error && error.constraint === 'api_keys_own_urls_only';
    throw isContradiction ? new PermissionsContradict() : error;
  }
}
