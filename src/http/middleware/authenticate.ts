import type { DefaultState, Middleware } from 'koa';
import type { ApiKeyCache } from '../../api-keys/api-key-cache.ts';
import { type ApiKey, isAllowed } from '../../api-keys/api-key.ts';
import type { Scope } from '../../api-keys/scopes.ts';
import { Problem } from '../problems/problem.ts';

/** The state of an authenticated API request. */
export interface ApiState extends DefaultState {
  apiKey?: ApiKey;
  /** Reads the key again; undefined once it is no longer valid. */
  refreshApiKey?: () => Promise<ApiKey | undefined>;
}

/** The key of an authenticated request. Throws a 401 for a route without `authenticate`. */
export function apiKeyOf(state: ApiState): ApiKey {
  if (state.apiKey === undefined) throw new Problem('unauthorized', 'Authentication required.');
  return state.apiKey;
}

/** The current state of the key of a long request; undefined once it is no longer valid. */
export const refreshApiKey = async ({ state }: { state: ApiState }): Promise<ApiKey | undefined> =>
  await state.refreshApiKey?.();

/** Requires a valid API key in `x-api-key` or `Authorization: Bearer`; otherwise answers 401. */
export function authenticate(apiKeyCache: ApiKeyCache): Middleware<ApiState> {
  return async (ctx, next) => {
    const bearer = /^Bearer +(\S+)$/i.exec(ctx.get('authorization'))?.[1];
    const given = ctx.get('x-api-key') || bearer;
    const apiKey = given ? await apiKeyCache.find(given) : undefined;
    if (!apiKey) {
      const detail = given
        ? 'The API key is unknown, revoked or expired.'
        : 'Authentication required. Send an API key in x-api-key or Authorization: Bearer.';
      throw new Problem('unauthorized', detail, {
        headers: { 'WWW-Authenticate': 'Bearer realm="linkmill"' },
      });
    }
    ctx.state.apiKey = apiKey;
    ctx.state.refreshApiKey = async () => await apiKeyCache.find(given!);
    await next();
  };
}

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
