import type { Context } from 'koa';
import { z } from 'zod';
import type { ApiKeys } from '../../api-keys/api-keys.ts';
import { type Session, SessionNotFound } from '../../sessions/session.ts';
import type { Browser, Sessions } from '../../sessions/sessions.ts';
import { sessionOf, unauthorized } from '../middleware/authenticate.ts';
import type { RateLimits } from '../middleware/rate-limits.ts';
import { isFromPlainHttp, isSameOrigin } from '../middleware/same-origin.ts';
import { createSessionCookie } from '../middleware/session-cookie.ts';
import { Problem } from '../problems/problem.ts';
import { idParams, idPosition, timestamp } from '../routes/schemas.ts';
import { presentApiKey, shownApiKey } from './api-key-schemas.ts';
import type { Handlers, Operations } from './operation.ts';
import { pageOf, pageQuery, readPage } from './pagination.ts';

const tag = 'Sessions';

const secret = z.string('must be a string').max(200, 'must be at most 200 characters');

const credential = z.union(
  [
    z.strictObject({ api_key: secret.describe('The secret of an API key') }),
    z.strictObject({
      sign_in_token: secret.describe('The token of a sign-in link, which is valid for 10 minutes and once'),
    }),
  ],
  'must contain either api_key or sign_in_token',
);

const shownSession = z.object({
  id: z.int(),
  created_at: timestamp,
  last_used_at: timestamp.describe('Accurate to about five minutes'),
  expires_at: timestamp.describe(
    '30 days after the last use, or when the API key expires; for a person at the latest `OIDC_SESSION_HOURS` after the sign-in',
  ),
  user_agent: z.string().nullable().describe('`User-Agent` of the sign-in'),
  is_current: z.boolean().describe('Whether it is the session of the request'),
});

const currentSession = shownSession.extend({ api_key: shownApiKey }).meta({ id: 'CurrentSession' });

const storedCookie = { 'Set-Cookie': 'Cookie of the session' };
const removedCookie = {
  'Set-Cookie': 'Removal of the cookie',
  'Clear-Site-Data': '`"cache"`',
};

/** Sessions of browsers. Each belongs to an API key and has its permissions. */
export const sessionOperations = {
  signIn: {
    method: 'post',
    path: '/api/v1/sessions',
    tag,
    summary: 'Sign in',
    description:
      'Creates a session with the permissions of the API key. It ends 30 days after its last use, or within 2 s after the key is revoked or expired; a rotation of the key does not end it. At most 10 sign-ins per minute from one address.',
    scope: 'none',
    body: credential,
    replies: { 204: { description: 'The session is created.', headers: storedCookie } },
    problems: ['cross-origin-request'],
  },
  listSessions: {
    method: 'get',
    path: '/api/v1/sessions',
    tag,
    summary: 'List sessions',
    description: 'Sessions of the API key of the request, latest first.',
    scope: 'any',
    query: z.strictObject(pageQuery({ default: 50, max: 200 })),
    replies: { 200: { description: 'A page of sessions.', body: pageOf(shownSession) } },
    problems: [],
  },
  signOutEverywhere: {
    method: 'delete',
    path: '/api/v1/sessions',
    tag,
    summary: 'Sign out everywhere',
    description:
      'Ends all sessions of the API key of the request, within 2 s. A request with a session loses its cookie too.',
    scope: 'any',
    replies: { 204: { description: 'The sessions have ended.' } },
    problems: [],
  },
  // Before the operation on one session, whose path pattern matches this path too.
  getCurrentSession: {
    method: 'get',
    path: '/api/v1/sessions/current',
    tag,
    summary: 'Get the current session',
    description: 'Also extends the lifetime of the cookie. 404 for a request with an API key in its headers.',
    scope: 'any',
    replies: {
      200: { description: 'The session of the request.', headers: storedCookie, body: currentSession },
    },
    problems: ['not-found'],
  },
  signOut: {
    method: 'delete',
    path: '/api/v1/sessions/current',
    tag,
    summary: 'Sign out',
    description:
      'Ends the session of the request, within 2 s. 404 for a request with an API key in its headers.',
    scope: 'any',
    replies: { 204: { description: 'The session has ended.', headers: removedCookie } },
    problems: ['not-found'],
  },
  endSession: {
    method: 'delete',
    path: '/api/v1/sessions/{id}',
    tag,
    summary: 'End a session',
    description:
      'Ends a session of the API key of the request, within 2 s. The session of the request itself also loses its cookie.',
    scope: 'any',
    params: idParams,
    replies: { 204: { description: 'The session has ended.' } },
    problems: ['not-found'],
  },
} as const satisfies Operations;

const presentSession = (session: Session, currentId: number | undefined): z.input<typeof shownSession> => ({
  id: session.id,
  created_at: session.createdAt.toISOString(),
  last_used_at: session.lastUsedAt.toISOString(),
  expires_at: session.expiresAt.toISOString(),
  user_agent: session.userAgent,
  is_current: session.id === currentId,
});

/** The session of a request. Throws a 404 for a request with an API key. */
function getSession(ctx: Context) {
  const session = sessionOf(ctx);
  if (session === undefined) throw new Problem('not-found', 'The request has no session.');
  return session;
}

export function sessionHandlers(deps: {
  sessions: Sessions;
  apiKeys: Pick<ApiKeys, 'get'>;
  rateLimits: Pick<RateLimits, 'chargeSignIn'>;
  baseUrl: string;
}): Handlers<typeof sessionOperations> {
  const { sessions, apiKeys, rateLimits, baseUrl } = deps;
  const cookie = createSessionCookie(baseUrl);
  const signedOut = { 'Set-Cookie': cookie.removal, 'Clear-Site-Data': '"cache"' };

  const signIn = async (body: z.output<typeof credential>, browser: Browser) =>
    'api_key' in body
      ? await sessions.signInWithKey(body.api_key, browser)
      : await sessions.signInWithToken(body.sign_in_token, browser);

  return {
    signIn: async ({ body, ctx }) => {
      if (isFromPlainHttp(ctx, baseUrl)) {
        throw new Problem(
          'cross-origin-request',
          `Sign in at ${baseUrl}/admin/: over plain HTTP browsers do not keep the cookie of the session.`,
        );
      }
      if (!isSameOrigin(ctx, baseUrl))
        throw new Problem('cross-origin-request', 'Cross-origin sign-ins are not accepted.');
      rateLimits.chargeSignIn(ctx.req);
      const token = await signIn(body, cookie.browserOf(ctx));
      if (token === undefined) {
        throw unauthorized(
          'api_key' in body
            ? 'The API key is unknown, revoked or expired.'
            : 'The sign-in link is unknown, used or expired.',
        );
      }
      return { status: 204, headers: { 'Set-Cookie': cookie.store(token) } };
    },

    listSessions: async ({ query, apiKey, ctx }) => {
      const { rows, nextCursor } = await readPage(query, {
        list: ['sessions', apiKey.id],
        position: idPosition,
        positionOf: ({ id }: Session) => id,
        read: async (before, limit) => await sessions.list(apiKey.id, { before, limit }),
      });
      const currentId = sessionOf(ctx)?.id;
      const items = rows.map((session) => presentSession(session, currentId));
      return { status: 200, body: { items, next_cursor: nextCursor } };
    },

    signOutEverywhere: async ({ apiKey, ctx }) => {
      await sessions.endAll(apiKey.id);
      return { status: 204, ...(sessionOf(ctx) && { headers: signedOut }) };
    },

    getCurrentSession: async ({ apiKey, ctx }) => {
      const { id } = getSession(ctx);
      const [session, key] = await Promise.all([sessions.get(id), apiKeys.get(apiKey.id)]);
      return {
        status: 200,
        headers: { 'Set-Cookie': cookie.store(cookie.read(ctx) ?? '') },
        body: { ...presentSession(session, id), api_key: presentApiKey(key) },
      };
    },

    signOut: async ({ apiKey, ctx }) => {
      const { id } = getSession(ctx);
      try {
        await sessions.end(id, apiKey.id);
      } catch (error) {
        // Another request has ended it within the last 2 s.
        if (!(error instanceof SessionNotFound)) throw error;
      }
      return { status: 204, headers: signedOut };
    },

    endSession: async ({ params: { id }, apiKey, ctx }) => {
      await sessions.end(id, apiKey.id);
      return { status: 204, ...(id === sessionOf(ctx)?.id && { headers: signedOut }) };
    },
  };
}
