import type { Context } from 'koa';
import type { ActiveSession } from '../../sessions/session.ts';
import type { Sessions } from '../../sessions/sessions.ts';
import { Problem } from '../problems/problem.ts';
import { type RequestSource, requestSourceOf } from './same-origin.ts';
import { createSessionCookie } from './session-cookie.ts';

export type SessionReader = ReturnType<typeof createSessionReader>;

/** Finds the session of a request by its cookie. */
export function createSessionReader(deps: { sessions: Pick<Sessions, 'find'>; baseUrl: string }) {
  const { sessions, baseUrl } = deps;
  const cookie = createSessionCookie(baseUrl);

  async function refresh(ctx: Context): Promise<ActiveSession | undefined> {
    const token = cookie.read(ctx);
    return token === undefined ? undefined : await sessions.find(token);
  }

  return {
    /** The active session of a request. Removes the cookie of one that has ended. Throws a 403 if the request does not come from an accepted
     *  source: browsers attach the cookie to requests of other pages of the same site too. */
    async find(
      ctx: Context,
      isAccepted: (source: RequestSource) => boolean,
    ): Promise<ActiveSession | undefined> {
      if (cookie.read(ctx) === undefined) return undefined;
      if (!isAccepted(requestSourceOf(ctx, baseUrl))) {
        throw new Problem(
          'cross-origin-request',
          'A request with a session must come from a page of this service. Other clients send an API key.',
        );
      }
      const session = await refresh(ctx);
      if (session === undefined) ctx.append('Set-Cookie', cookie.removal);
      return session;
    },

    /** The session of a request whose source was accepted before; undefined once it has ended. */
    refresh,
  };
}
