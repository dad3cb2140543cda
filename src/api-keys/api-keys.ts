import { timingSafeEqual } from 'node:crypto';
import { aliased } from '../storage/postgres/columns.ts';
import { type Knex, onlyRow } from '../storage/postgres/postgres.ts';
import {
  type ApiKey,
  ApiKeyNotFound,
  KeyHasNoSecret,
  type Permissions,
  PermissionsContradict,
  SetByProvider,
  type StoredApiKey,
} from './api-key.ts';
import { createSecret, hashOf, publicPartOf } from './key-secret.ts';
import type { Scope } from './scopes.ts';

declare module 'knex/types/tables.js' {
  interface Tables {
    api_keys: {
      id: number;
      name: string;
      public_part: string | null;
      key_hash: Buffer | null;
      issuer: string | null;
      subject: string | null;
      created_at: Date;
      revoked_at: Date | null;
      scopes: Scope[];
      own_urls_only: boolean;
      expires_at: Date | null;
      last_used_at: Date | null;
      rotated_at: Date | null;
      previous_public_part: string | null;
      previous_key_hash: Buffer | null;
      previous_until: Date | null;
    };
  }
}

export type ApiKeys = ReturnType<typeof createApiKeys>;

/** The settings of a key, for create and update. */
export type ApiKeySettings = Permissions & Pick<StoredApiKey, 'name' | 'expiresAt'>;

const columns = {
  id: 'id',
  name: 'name',
  scopes: 'scopes',
  ownUrlsOnly: 'own_urls_only',
  publicPart: 'public_part',
  createdAt: 'created_at',
  expiresAt: 'expires_at',
  lastUsedAt: 'last_used_at',
  rotatedAt: 'rotated_at',
  revokedAt: 'revoked_at',
};

/** The settings that the provider determines for a person. */
const setByProvider = ['name', 'scopes', 'ownUrlsOnly'] as const;

const isValid = 'revoked_at is null and (expires_at is null or expires_at > now())';

/** The valid API keys, as a table in the SQL of other modules. */
export const validApiKeys = `(select id, name, scopes, own_urls_only, expires_at, issuer from api_keys where ${isValid})`;

/** API keys; only hashes of their secrets are stored. Web processes cache keys for up to 2 s. */
export function createApiKeys(db: Knex) {
  /** The columns of a StoredApiKey. */
  const stored = [
    ...aliased(columns),
    db.raw('case when previous_until > now() then previous_until end as "previousUntil"'),
    db.raw(
      `case when subject is not null then json_build_object('issuer', issuer, 'subject', subject) end as person`,
    ),
  ];
  const unrevoked = (id: number) => db('api_keys').where({ id }).whereNull('revoked_at');

  /** The changed key; otherwise throws `ofPerson` for a person's key, and ApiKeyNotFound for no key. */
  async function getChanged(id: number, [row]: StoredApiKey[], ofPerson: Error): Promise<StoredApiKey> {
    if (row) return row;
    const found = await unrevoked(id).whereNotNull('subject').select('id');
    throw found.length > 0 ? ofPerson : new ApiKeyNotFound();
  }

  return {
    /** Creates a key; by default with the scope `admin` and without expiry. `key` is the secret, which cannot be read again. Throws
     *  PermissionsContradict. */
    async create(
      name: string,
      settings: Partial<ApiKeySettings> = {},
    ): Promise<StoredApiKey & { key: string }> {
      const { scopes = ['admin'], ownUrlsOnly = false, expiresAt = null } = settings;
      const { key, publicPart, hash } = createSecret();
      const inserting = db('api_keys')
        .insert({
          name,
          scopes,
          own_urls_only: ownUrlsOnly,
          expires_at: expiresAt,
          public_part: publicPart,
          key_hash: hash,
        })
        .returning<StoredApiKey[]>(stored);
      return { ...onlyRow({ rows: await rejectContradiction(inserting) }), key };
    },

    /** The API key with this secret; undefined if unknown, revoked or expired. Compares in constant time. */
    async find(key: string): Promise<ApiKey | undefined> {
      const publicPart = publicPartOf(key);
      if (publicPart === undefined) return undefined;
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
      const [row] = await db('api_keys').where({ id }).select<StoredApiKey[]>(stored);
      if (row === undefined) throw new ApiKeyNotFound();
      return row;
    },

    /** Keys with an ID above `after`, oldest first, including revoked ones; all of them without a `limit`. */
    async list({ after = 0, limit = null }: { after?: number; limit?: number | null } = {}): Promise<
      StoredApiKey[]
    > {
      const keys = db('api_keys').where('id', '>', after).orderBy('id').select<StoredApiKey[]>(stored);
      return await (limit === null ? keys : keys.limit(limit));
    },

    /** Changes the given settings. Throws ApiKeyNotFound, PermissionsContradict and SetByProvider. */
    async update(id: number, settings: Partial<ApiKeySettings>): Promise<StoredApiKey> {
      const { name = db.ref('name'), scopes, ownUrlsOnly, expiresAt } = settings;
      const notOfPeople = setByProvider.filter((setting) => settings[setting] !== undefined);
      const updating = unrevoked(id)
        .where((query) => void (notOfPeople.length > 0 && query.whereNull('subject')))
        // `name` is always set, because knex rejects an update without columns; it omits undefined ones.
        .update({ name, scopes, own_urls_only: ownUrlsOnly, expires_at: expiresAt })
        .returning<StoredApiKey[]>(stored);
      return await getChanged(id, await rejectContradiction(updating), new SetByProvider(notOfPeople));
    },

    /** Replaces the secret of a key. The current secret stays valid for `graceSeconds`; an older one becomes invalid. Throws ApiKeyNotFound
     *  and KeyHasNoSecret. */
    async rotate(id: number, graceSeconds: number): Promise<StoredApiKey & { key: string }> {
      const { key, publicPart, hash } = createSecret();
      const rotated = await unrevoked(id)
        .whereNull('subject')
        .update({
          previous_public_part: db.raw('public_part'),
          previous_key_hash: db.raw('key_hash'),
          previous_until: db.raw('now() + make_interval(secs => ?)', [graceSeconds]),
          public_part: publicPart,
          key_hash: hash,
          rotated_at: db.fn.now(),
        })
        .returning<StoredApiKey[]>(stored);
      return { ...(await getChanged(id, rotated, new KeyHasNoSecret())), key };
    },

    /** Revokes a key. Throws ApiKeyNotFound, also for a revoked key. */
    async revoke(id: number): Promise<void> {
      if ((await unrevoked(id).update({ revoked_at: db.fn.now() })) === 0) throw new ApiKeyNotFound();
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

async function rejectContradiction<Result>(result: PromiseLike<Result>): Promise<Result> {
  try {
    return await result;
  } catch (error) {
    const isContradiction =
      error instanceof Error && 'constraint' in error && error.constraint === 'api_keys_own_urls_only';
    throw isContradiction ? new PermissionsContradict() : error;
  }
}
