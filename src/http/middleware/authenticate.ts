import type { DefaultState, Middleware } from 'koa';
import { type ApiKey, isAllowed } from '../../api-keys/api-key.ts';
import type { KnownApiKeys } from '../../api-keys/known-api-keys.ts';
import type { Scope } from '../../api-keys/scopes.ts';
import { Problem } from '../problems/problem.ts';

/** What a request of the API carries once its key is known. */
export interface ApiState extends DefaultState {
  apiKey?: ApiKey;
  /** The same key as it is now; nothing once it is not valid any more. */
  findApiKeyAgain?: () => Promise<ApiKey | undefined>;
}

/** The key of a request that went through `authenticate`; a route that is not behind it answers 401 instead of acting for
 *  nobody. */
export function apiKeyOf(state: ApiState): ApiKey {
  if (state.apiKey === undefined) throw new Problem('unauthorized', 'Give an API key.');
  return state.apiKey;
}

/** The key of a request that takes long, as it is now; undefined once it is not valid any more. */
export const findAgain = async ({ state }: { state: ApiState }): Promise<ApiKey | undefined> =>
  await state.findApiKeyAgain?.();

/** Lets a request through that carries a valid API key in `x-api-key` or `Authorization: Bearer`, else answers 401. */
export function authenticate(knownApiKeys: KnownApiKeys): Middleware<ApiState> {
  return async (ctx, next) => {
    const bearer = /^Bearer +(\S+)$/i.exec(ctx.get('authorization'))?.[1];
    const given = ctx.get('x-api-key') || bearer;
    const apiKey = given ? await knownApiKeys.find(given) : undefined;
    if (!apiKey) {
      const detail = given
        ? 'The API key is unknown, revoked or expired.'
        : 'Give an API key in x-api-key or Authorization: Bearer.';
      throw new Problem('unauthorized', detail, {
        headers: { 'WWW-Authenticate': 'Bearer realm="linkmill"' },
      });
    }
    ctx.state.apiKey = apiKey;
    ctx.state.findApiKeyAgain = async () => await knownApiKeys.find(given!);
    await next();
  };
}

/** Throws the 403 of an API key that may not do this. */
export function assertAllowed(apiKey: ApiKey, scope: Scope | 'any'): void {
  if (isAllowed(apiKey, scope)) return;
  throw new Problem('insufficient-scope', `The API key lacks the scope ${scope}.`, {
    headers: {
      'WWW-Authenticate': `Bearer realm="linkmill", error="insufficient_scope", scope="${scope}"`,
    },
  });
}

/** Lets a request through whose API key may do this, else answers 403. */
export function requireScope(scope: Scope | 'any'): Middleware<ApiState> {
  return async (ctx, next) => {
    assertAllowed(apiKeyOf(ctx.state), scope);
    await next();
  };
}
