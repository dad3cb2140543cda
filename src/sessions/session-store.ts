import { validApiKeys } from '../api-keys/api-keys.ts';
import type { Scope } from '../api-keys/scopes.ts';
import { type Knex, onlyRow } from '../storage/postgres/postgres.ts';
import { type ActiveSession, maxSessions, type Session, sessionDays, signInLinkMinutes } from './session.ts';

export type SessionStore = ReturnType<typeof createSessionStore>;

/** A session that does not exist yet. */
export interface NewSession {
  tokenHash: Buffer;
  userAgent: string | null;
  /** Hash of the token of the session that it replaces; null for none. */
  replacedHash: Buffer | null;
  /** Hours after which it ends, even if it is used; by default there is no such limit. */
  maxHours?: number | null;
}

const columns = `id, created_at as "createdAt", last_used_at as "lastUsedAt", expires_at as "expiresAt", user_agent as "userAgent"`;

/** When a session expires that is used now and that ends at `endsAt`, in SQL. */
const expiry = (endsAt: string) =>
  `least(now() + make_interval(days => ${sessionDays}), k.expires_at, ${endsAt})`;

/** When a new session ends; null for no limit: `least` ignores it. */
const newEnd = 'now() + make_interval(hours => cast(:maxHours as integer))';

/** Inserts a session for the API key of `signer (id, expires_at)`, which has no row if the sign-in is not allowed. */
const insertSession = `
  replaced as (delete from sessions where token_hash = :replacedHash and exists (select from signer)),
  surplus as (
    delete from sessions where id in (
      select s.id from sessions s join signer k on k.id = s.api_key_id
      order by s.last_used_at desc, s.id desc offset ${maxSessions - 1}
    )
  )
  insert into sessions (token_hash, api_key_id, user_agent, ends_at, expires_at)
  select cast(:tokenHash as bytea), k.id, cast(:userAgent as text), ${newEnd}, ${expiry(newEnd)} from signer k
  returning ${columns}`;

/** The tables of sessions and sign-in tokens. Sessions of an API key that is not valid do not exist for any method but `removeEnded`. `find`
 *  finds those of people only if `isIssuer` accepts their provider. */
export const createSessionStore = (db: Knex, isIssuer: (issuer: string) => boolean = () => false) => ({
  /** Creates a session; undefined if the API key is not valid. */
  async create(apiKeyId: number, session: NewSession): Promise<Session | undefined> {
    const { rows } = await db.raw<{ rows: Session[] }>(
      `with signer as (select id, expires_at from ${validApiKeys} k where id = :apiKeyId), ${insertSession}`,
      { apiKeyId, maxHours: null, ...session },
    );
    return rows[0];
  },

  /** Uses up a sign-in token and creates a session with its API key; undefined if the token is unknown, used or expired. */
  async createWithToken(signInHash: Buffer, session: NewSession): Promise<Session | undefined> {
    const { rows } = await db.raw<{ rows: Session[] }>(
      `with used as (
         delete from sign_in_tokens where token_hash = :signInHash returning api_key_id, expires_at
       ),
       signer as (
         select k.id, k.expires_at from used join ${validApiKeys} k on k.id = used.api_key_id
         where used.expires_at > now()
       ), ${insertSession}`,
      { signInHash, maxHours: null, ...session },
    );
    return rows[0];
  },

  /** Stores a sign-in token for an API key. */
  async addSignInToken(tokenHash: Buffer, apiKeyId: number): Promise<void> {
    await db.raw(
      `insert into sign_in_tokens (token_hash, api_key_id, expires_at)
       values (:tokenHash, :apiKeyId, now() + make_interval(mins => ${signInLinkMinutes}))`,
      { tokenHash, apiKeyId },
    );
  },

  /** The session with this token, and its API key. */
  async find(tokenHash: Buffer): Promise<ActiveSession | undefined> {
    const { rows } = await db.raw<{
      rows: {
        id: number;
        keyId: number;
        name: string;
        scopes: Scope[];
        ownUrlsOnly: boolean;
        issuer: string | null;
      }[];
    }>(
      `select s.id, k.id as "keyId", k.name, k.scopes, k.own_urls_only as "ownUrlsOnly", k.issuer
       from sessions s join ${validApiKeys} k on k.id = s.api_key_id
       where s.token_hash = :tokenHash and s.expires_at > now()`,
      { tokenHash },
    );
    const [row] = rows;
    if (row === undefined || (row.issuer !== null && !isIssuer(row.issuer))) return undefined;
    const { id, keyId, issuer: _, ...apiKey } = row;
    return { id, apiKey: { id: keyId, ...apiKey } };
  },

  /** Sessions of an API key with an ID below `before`, latest first. */
  async list(
    apiKeyId: number,
    { before = Number.MAX_SAFE_INTEGER, limit }: { before: number | undefined; limit: number },
  ): Promise<Session[]> {
    const { rows } = await db.raw<{ rows: Session[] }>(
      `select ${columns} from sessions
       where api_key_id = :apiKeyId and id < :before and expires_at > now()
       order by id desc limit :limit`,
      { apiKeyId, before, limit },
    );
    return rows;
  },

  async get(id: number): Promise<Session | undefined> {
    const { rows } = await db.raw<{ rows: Session[] }>(
      `select ${columns} from sessions where id = :id and expires_at > now()`,
      { id },
    );
    return rows[0];
  },

  /** Ends a session of an API key; resolves to whether it existed. */
  async remove(id: number, apiKeyId: number): Promise<boolean> {
    const { rows } = await db.raw<{ rows: unknown[] }>(
      'delete from sessions where id = :id and api_key_id = :apiKeyId returning id',
      { id, apiKeyId },
    );
    return rows.length > 0;
  },

  /** Ends all sessions of an API key. */
  async removeAll(apiKeyId: number): Promise<void> {
    await db.raw('delete from sessions where api_key_id = :apiKeyId', { apiKeyId });
  },

  /** Records that sessions are used now, at most once in five minutes for each, and postpones their expiry. Skips rows that another
   *  transaction has locked. */
  async recordUsage(ids: number[]): Promise<void> {
    await db.raw(
      `update sessions s set last_used_at = now(), expires_at = ${expiry('s.ends_at')}
       from ${validApiKeys} k
       where k.id = s.api_key_id and s.id in (
         select id from sessions
         where id = any(cast(:ids as bigint[])) and last_used_at < now() - interval '5 minutes' and expires_at > now()
         for update skip locked
       )`,
      { ids },
    );
  },

  /** Removes up to `limit` sessions, and as many sign-in tokens, that are expired at `now` or whose API key is not valid. Resolves to the
   *  number of sessions. */
  async removeEnded(now: Date, limit: number): Promise<number> {
    const result = await db.raw<{ rows: { count: number }[] }>(
      `with tokens as (
         delete from sign_in_tokens where token_hash in (
           select token_hash from sign_in_tokens where expires_at <= :now limit :limit for update skip locked
         )
       ),
       removed as (
         delete from sessions where id in (
           select s.id from sessions s
           where s.expires_at <= :now or not exists (select from ${validApiKeys} k where k.id = s.api_key_id)
           limit :limit for update skip locked
         ) returning 1
       )
       select count(*) as count from removed`,
      { now, limit },
    );
    return onlyRow(result).count;
  },
});
