import type { ApiKeys } from '../../../src/api-keys/api-keys.ts';
import { scopes } from '../../../src/api-keys/scopes.ts';

/** Callers: with the scope admin, with each single scope, and without an API key. */
const permissions = {
  admin: {},
  own: { scopes: ['urls:read', 'urls:write', 'stats:read', 'keys:reserve'], ownUrlsOnly: true },
  ...Object.fromEntries(scopes.map((scope) => [scope, { scopes: [scope] }])),
  nothing: { scopes: [] },
  expired: { expiresAt: new Date(0) },
} satisfies Record<string, Parameters<ApiKeys['create']>[1]>;

/** The bearer token of /metrics. */
export const operatorToken = 'metrics-of-the-fuzzed-service';
const unknownKey = `lm_0123456789ab_${'x'.repeat(43)}`;

/** Creates an API key per caller, and replaces one that a request has revoked or changed. */
export async function createCallers(apiKeys: ApiKeys) {
  const keys = new Map<string, string | undefined>([
    ['unknown', unknownKey],
    ['anonymous', undefined],
    ['operator', operatorToken],
  ]);
  const issue = async (name: string) => {
    const made = await apiKeys.create(name, (permissions as Record<string, object>)[name]);
    keys.set(name, made.key);
  };
  await Promise.all(Object.keys(permissions).map(issue));
  return {
    names: [...keys.keys()],
    keyOf: (name: string) => keys.get(name),
    /** Gives a caller another key if it should have a valid one. */
    async replace(name: string): Promise<void> {
      if (name in permissions) await issue(name);
    },
  };
}

export type Callers = Awaited<ReturnType<typeof createCallers>>;
