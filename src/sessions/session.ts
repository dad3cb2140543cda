import type { ApiKey } from '../api-keys/api-key.ts';

/** Days until a session that is not used expires. */
export const sessionDays = 30;
/** Minutes for which a sign-in link is valid. */
export const signInLinkMinutes = 10;
/** Maximum number of sessions of an API key; a further sign-in ends the one that has been unused for longest. */
export const maxSessions = 100;

/** A browser that is signed in with an API key. */
export interface Session {
  id: number;
  createdAt: Date;
  /** Accurate to about five minutes. */
  lastUsedAt: Date;
  /** At the latest when the API key expires. */
  expiresAt: Date;
  userAgent: string | null;
}

/** The session of an authenticated request. */
export interface ActiveSession {
  id: number;
  apiKey: ApiKey;
}

/** The API key has no session with this ID. */
export class SessionNotFound extends Error {
  override readonly name = 'SessionNotFound';

  constructor() {
    super('Session not found.');
  }
}
