import type { ApiKeys } from '../api-keys/api-keys.ts';
import type { SessionCache } from './session-cache.ts';
import type { NewSession, SessionStore } from './session-store.ts';
import { type Session, SessionNotFound } from './session.ts';
import { createToken, hashOf, isToken } from './token.ts';

export type Sessions = ReturnType<typeof createSessions>;

/** The browser that signs in. */
export interface Browser {
  userAgent: string | null;
  /** The token of its current session, which the new one replaces. */
  token: string | undefined;
}

/** Sessions of browsers. The end of a session takes effect at once in this process, and within 2 s in the others. */
export function createSessions(deps: {
  store: SessionStore;
  cache: SessionCache;
  apiKeys: Pick<ApiKeys, 'find'>;
}) {
  const { store, cache, apiKeys } = deps;

  /** Resolves to the token of the session that `create` has inserted. */
  async function signIn(
    { userAgent, token: replaced }: Browser,
    create: (session: NewSession) => Promise<Session | undefined>,
    maxHours: number | null = null,
  ): Promise<string | undefined> {
    const token = createToken();
    const replacedHash = replaced !== undefined && isToken(replaced) ? hashOf(replaced) : null;
    const session = await create({ tokenHash: hashOf(token), userAgent, replacedHash, maxHours });
    if (session !== undefined && replacedHash !== null) cache.removeToken(replacedHash);
    return session && token;
  }

  return {
    find: cache.find,
    list: store.list,

    /** Signs a browser in with the secret of an API key; resolves to the token of the session, or to undefined if the key is not valid. */
    async signInWithKey(key: string, browser: Browser): Promise<string | undefined> {
      const apiKey = await apiKeys.find(key);
      return apiKey && (await signIn(browser, async (session) => await store.create(apiKey.id, session)));
    },

    /** Signs a browser in with the token of a sign-in link, which is used up; undefined if the token is unknown, used or expired. */
    async signInWithToken(token: string, browser: Browser): Promise<string | undefined> {
      if (!isToken(token)) return undefined;
      return await signIn(browser, async (session) => await store.createWithToken(hashOf(token), session));
    },

    /** Signs a browser in with the API key of a person whom the provider has identified, for at most `maxHours`; undefined if the key is not
     *  valid. */
    async signInPerson(apiKeyId: number, browser: Browser, maxHours: number): Promise<string | undefined> {
      return await signIn(browser, async (session) => await store.create(apiKeyId, session), maxHours);
    },

    /** Throws SessionNotFound. */
    async get(id: number): Promise<Session> {
      const session = await store.get(id);
      if (session === undefined) throw new SessionNotFound();
      return session;
    },

    /** Ends a session of an API key. Throws SessionNotFound. */
    async end(id: number, apiKeyId: number): Promise<void> {
      const existed = await store.remove(id, apiKeyId);
      if (!existed) throw new SessionNotFound();
      cache.remove((session) => session.id === id);
    },

    /** Ends all sessions of an API key. */
    async endAll(apiKeyId: number): Promise<void> {
      await store.removeAll(apiKeyId);
      cache.remove(({ apiKey }) => apiKey.id === apiKeyId);
    },
  };
}
