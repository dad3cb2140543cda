import type { DefaultState, Middleware } from 'koa';
import type { ApiKey, ApiKeys } from '../api-keys/api-keys.ts';
import { Problem } from './errors.ts';

/** What a request of the API carries once its key is known. */
export interface ApiState extends DefaultState {
  apiKey?: ApiKey;
}

/** The key of a request that went through `authenticate`; a route that is not behind it answers 401 instead of acting for
 *  nobody. */
export function apiKeyOf(state: ApiState): ApiKey {
  if (state.apiKey === undefined) throw new Problem(401, 'unauthorized', 'Give an API key.');
  return state.apiKey;
}

/** Lets a request through that carries a valid API key in `x-api-key` or `Authorization: Bearer`, else answers 401. */
export function authenticate(apiKeys: Pick<ApiKeys, 'find'>): Middleware<ApiState> {
  return async (ctx, next) => {
    const bearer = /^Bearer +(\S+)$/i.exec(ctx.get('authorization'))?.[1];
    const given = ctx.get('x-api-key') || bearer;
    const apiKey = given ? await apiKeys.find(given) : undefined;
    if (!apiKey) {
      const detail = given
        ? 'The API key is unknown or revoked.'
        : 'Give an API key in x-api-key or Authorization: Bearer.';
      throw new Problem(401, 'unauthorized', detail, {
        headers: { 'WWW-Authenticate': 'Bearer realm="linkmill"' },
      });
    }
    ctx.state.apiKey = apiKey;
    await next();
  };
}
