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

/** What may be said about a key when it is made, and changed later. */
export type ApiKeySettings = Permissions & Pick<StoredApiKey, 'name' | 'expiresAt'>;

/** What a StoredApiKey is read from. */
const columns = `id, name, scopes, own_urls_only as "ownUrlsOnly", public_part as "publicPart", created_at as "createdAt",
  expires_at as "expiresAt", last_used_at as "lastUsedAt", rotated_at as "rotatedAt",
  case when previous_until > now() then previous_until end as "previousUntil", revoked_at as "revokedAt"`;

/** API keys, of whose secrets only hashes are stored. Web processes go on for up to 2 s with what they know of a key. */
export function createApiKeys(db: Knex) {
  return {
    /** Makes a key that may do everything for ever, unless said otherwise. `key` is given this once and cannot be had again.
     *  Throws PermissionsContradict. */
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
      return { ...onlyRow(await orContradiction(result)), key };
    },

    /** Whose key this is, or undefined for an unknown, revoked or expired one; compared in constant time. */
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

    /** A key with this id, a revoked one too. Throws ApiKeyNotFound. */
    async get(id: number): Promise<StoredApiKey> {
      return getOnlyRow(id, await db.raw(`select ${columns} from api_keys where id = :id`, { id }));
    },

    /** Keys, the oldest first, revoked ones too: those with an id above `after`, at most `limit` unless that is null. */
    async list({ after = 0, limit = null }: { after?: number; limit?: number | null } = {}): Promise<
      StoredApiKey[]
    > {
      const { rows } = await db.raw<{ rows: StoredApiKey[] }>(
        `select ${columns} from api_keys where id > :after order by id limit :limit`,
        { after, limit },
      );
      return rows;
    },

    /** Changes what is given. Throws ApiKeyNotFound and PermissionsContradict. */
    async change(id: number, settings: Partial<ApiKeySettings>): Promise<StoredApiKey> {
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
      return getOnlyRow(id, await orContradiction(result));
    },

    /** Gives a key a new secret; the present one is valid for so many seconds more, and one before it ends at once. Throws
     *  ApiKeyNotFound. */
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
      return { ...getOnlyRow(id, result), key };
    },

    /** Ends a key. Throws ApiKeyNotFound, also when it has ended before. */
    async revoke(id: number): Promise<void> {
      getOnlyRow(
        id,
        await db.raw<{ rows: StoredApiKey[] }>(
          `update api_keys set revoked_at = now() where id = :id and revoked_at is null returning ${columns}`,
          { id },
        ),
      );
    },

    /** Notes that keys are used at this minute. Leaves alone a row that somebody else is changing. */
    async noteUses(ids: number[]): Promise<void> {
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

function getOnlyRow(id: number, { rows }: { rows: StoredApiKey[] }): StoredApiKey {
  const [row] = rows;
  if (row === undefined) throw new ApiKeyNotFound(`there is no valid API key ${id}`);
  return row;
}

async function orContradiction<Result>(result: Promise<Result>): Promise<Result> {
  try {
    return await result;
  } catch (error) {
    const isOurs =
      error instanceof Error && 'constraint' in error && error.constraint === 'api_keys_own_urls_only';
    throw isOurs
      ? new PermissionsContradict('a key with admin or jobs:run cannot be for its own short URLs only')
      : error;
  }
}
