import { LRUCache } from 'lru-cache';
import type { SessionStore } from './session-store.ts';
import type { ActiveSession } from './session.ts';
import { hashOf, isToken } from './token.ts';

/** Upper bound for the delay with which the end of a session, or a change of its API key, takes effect in other processes. */
const ttlMs = 2_000;
const maxEntries = 10_000;

export type SessionCache = ReturnType<typeof createSessionCache>;

/** Caches active sessions, and coalesces concurrent look-ups of a session. */
export function createSessionCache(deps: {
  store: Pick<SessionStore, 'find'>;
  /** Called once per look-up in the store. */
  onUse: (session: ActiveSession) => void;
}) {
  const { store, onUse } = deps;
  const cache = new LRUCache<string, ActiveSession, Buffer>({
    max: maxEntries,
    ttl: ttlMs,
    fetchMethod: async (_digest, _stale, { context: tokenHash }) => {
      const found = await store.find(tokenHash);
      if (found) onUse(found);
      return found;
    },
  });
  return {
    /** The active session with this token. */
    async find(token: string): Promise<ActiveSession | undefined> {
      if (!isToken(token)) return undefined;
      // Cache keys are hashes: tokens must not stay in memory.
      const tokenHash = hashOf(token);
      return await cache.fetch(tokenHash.toString('base64'), { context: tokenHash });
    },

    /** Removes the session with this token, which has ended. */
    removeToken(tokenHash: Buffer): void {
      const digest = tokenHash.toString('base64');
      // Not a look-up in progress: to delete one would reject it.
      if (cache.peek(digest) !== undefined) cache.delete(digest);
    },

    /** Removes sessions that have ended. */
    remove(hasEnded: (session: ActiveSession) => boolean): void {
      // Without look-ups in progress: to delete one would reject it.
      for (const [digest, session] of cache.entries()) if (hasEnded(session)) cache.delete(digest);
    },
  };
}
