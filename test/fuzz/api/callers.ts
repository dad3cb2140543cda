import type { ApiKeys } from '../../../src/api-keys/api-keys.ts';
import { scopes } from '../../../src/api-keys/scopes.ts';
import type { SessionStore } from '../../../src/sessions/session-store.ts';
import { createToken, hashOf } from '../../../src/sessions/token.ts';

/** Callers with an API key: with the scope admin, with each single scope, and with an expired key. */
const permissions = {
  admin: {},
  own: { scopes: ['urls:read', 'urls:write', 'stats:read', 'keys:reserve'], ownUrlsOnly: true },
  ...Object.fromEntries(scopes.map((scope) => [scope, { scopes: [scope] }])),
  nothing: { scopes: [] },
  expired: { expiresAt: new Date(0) },
} satisfies Record<string, Parameters<ApiKeys['create']>[1]>;

/** The bearer token of /metrics. */
export const operatorToken = 'metrics-of-the-fuzzed-service';
/** Sessions per sign-in, so that a request can end another session than its own. */
const browserSessions = 3;
const unknownKey = `lm_0123456789ab_${'x'.repeat(43)}`;

/** Creates an API key per caller, and a session for the caller `browser`, and replaces one that a request has ended or changed. */
export async function createCallers({ apiKeys, sessions }: { apiKeys: ApiKeys; sessions: SessionStore }) {
  const keys = new Map<string, string | undefined>([
    ['unknown', unknownKey],
    ['anonymous', undefined],
    ['operator', operatorToken],
  ]);
  const issue = async (name: string) => {
    const made = await apiKeys.create(name, (permissions as Record<string, object>)[name]);
    keys.set(name, made.key);
  };
  let browserKeyId: number | undefined;
  let sessionToken = '';
  const signIn = async () => {
    const known = browserKeyId === undefined ? undefined : await apiKeys.get(browserKeyId);
    const isValid = known?.revokedAt === null && (known.expiresAt === null || known.expiresAt > new Date());
    const id = isValid ? known.id : (await apiKeys.create('browser')).id;
    browserKeyId = id;
    const tokens = Array.from({ length: browserSessions }, createToken);
    for (const token of tokens)
      await sessions.create(id, { tokenHash: hashOf(token), userAgent: null, replacedHash: null });
    sessionToken = tokens[0]!;
  };
  await Promise.all([...Object.keys(permissions).map(issue), signIn()]);
  return {
    names: [...keys.keys(), 'browser'],
    /** The headers with the credential of a caller. */
    headersOf(name: string, asBearer: boolean): [name: string, value: string][] {
      if (name === 'browser')
        return [
          ['cookie', `linkmill=${sessionToken}`],
          ['sec-fetch-site', 'same-origin'],
        ];
      const key = keys.get(name);
      if (key === undefined) return [];
      return [asBearer ? ['authorization', `Bearer ${key}`] : ['x-api-key', key]];
    },
    /** Gives a caller another credential if it should have a valid one. */
    async replace(name: string): Promise<void> {
      if (name === 'browser') await signIn();
      if (name in permissions) await issue(name);
    },
  };
}

export type Callers = Awaited<ReturnType<typeof createCallers>>;
