import type { Context, DefaultState, Middleware } from 'koa';
import type { ApiKeyCache } from '../../api-keys/api-key-cache.ts';
import { type ApiKey, isAllowed } from '../../api-keys/api-key.ts';
import type { Scope } from '../../api-keys/scopes.ts';
import type { ActiveSession } from '../../sessions/session.ts';
import { Problem } from '../problems/problem.ts';
import type { SessionReader } from './session-reader.ts';

/** The state of an authenticated API request. */
export interface ApiState extends DefaultState {
  apiKey?: ApiKey;
  /** Of a request that is authenticated by its cookie. */
  session?: ActiveSession;
  /** Reads the key again; undefined once it or the session is no longer valid. */
  refreshApiKey?: () => Promise<ApiKey | undefined>;
}

/** The key of an authenticated request. Throws a 401 for a route without `authenticate`. */
export function apiKeyOf(state: ApiState): ApiKey {
  if (state.apiKey === undefined) throw new Problem('unauthorized', 'Authentication required.');
  return state.apiKey;
}

/** The session of a request; undefined for one with an API key. */
export const sessionOf = ({ state }: { state: ApiState }): ActiveSession | undefined => state.session;

/** The current state of the key of a long request; undefined once it is no longer valid. */
export const refreshApiKey = async ({ state }: { state: ApiState }): Promise<ApiKey | undefined> =>
  await state.refreshApiKey?.();

/** A 401 for a request of the API. */
export const unauthorized = (detail: string, headers: Record<string, string> = {}) =>
  new Problem('unauthorized', detail, {
    headers: { 'WWW-Authenticate': 'Bearer realm="linkmill"', ...headers },
  });

/** Requires a valid API key in `x-api-key` or `Authorization: Bearer` or, without one, a session; otherwise answers 401. */
export function authenticate(deps: {
  apiKeyCache: ApiKeyCache;
  sessionReader: SessionReader;
}): Middleware<ApiState> {
  const { apiKeyCache, sessionReader } = deps;
  return async (ctx, next) => {
    const given = readApiKey(ctx);
    if (given === undefined) {
      const session = await sessionReader.find(ctx, (source) => source === 'own-page');
      if (session === undefined) {
        throw unauthorized(
          'Authentication required. Send an API key in x-api-key or Authorization: Bearer, or sign in.',
        );
      }
      ctx.state.session = session;
      ctx.state.apiKey = session.apiKey;
      ctx.state.refreshApiKey = async () => (await sessionReader.refresh(ctx))?.apiKey;
    } else {
      const apiKey = await apiKeyCache.find(given);
      if (apiKey === undefined) throw unauthorized('The API key is unknown, revoked or expired.');
      ctx.state.apiKey = apiKey;
      ctx.state.refreshApiKey = async () => await apiKeyCache.find(given);
    }
    await next();
  };
}

/** The API key in the headers of a request; undefined for none. */
const readApiKey = (ctx: Context): string | undefined =>
  ctx.get('x-api-key') || /^Bearer +(\S+)$/i.exec(ctx.get('authorization'))?.[1];

/** Throws a 403 for an API key without this scope. */
export function assertScope(apiKey: ApiKey, scope: Scope | 'any'): void {
  if (isAllowed(apiKey, scope)) return;
  throw new Problem('insufficient-scope', `The API key requires the scope ${scope}.`, {
    headers: {
      'WWW-Authenticate': `Bearer realm="linkmill", error="insufficient_scope", scope="${scope}"`,
    },
  });
}

/** Requires an API key with this scope; otherwise answers 403. */
export function requireScope(scope: Scope | 'any'): Middleware<ApiState> {
  return async (ctx, next) => {
    assertScope(apiKeyOf(ctx.state), scope);
    await next();
  };
}
