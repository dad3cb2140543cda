import { timingSafeEqual } from 'node:crypto';
import type { People, Person } from '../api-keys/people.ts';
import type { Log } from '../log.ts';
import type { Browser, Sessions } from '../sessions/sessions.ts';
import { type Claims, neededClaims, type PersonRules, readIdentity, readPerson } from './claims.ts';
import { type PendingSignIn, seal, signInMinutes, unseal } from './pending-sign-in.ts';
import type { Provider } from './provider.ts';
import { SignInFailed } from './sign-in-failed.ts';

export type SingleSignOn = ReturnType<typeof createSingleSignOn>;

/** Signs people in whom an OpenID Connect provider identifies. Between the two steps the browser keeps the sign-in, encrypted. */
export function createSingleSignOn(deps: {
  provider: Provider;
  people: People;
  sessions: Pick<Sessions, 'signInPerson' | 'endAll'>;
  /** A secret of 32 bytes that all web processes share. */
  loadSecret: () => Promise<Buffer>;
  rules: PersonRules;
  sessionHours: number;
  log: Log;
}) {
  const { provider, people, sessions, loadSecret, rules, sessionHours, log } = deps;

  /** The person whom the claims describe. One who may not sign in, or not any more, loses all sessions. */
  async function admit(claims: Claims): Promise<Person> {
    const identity = readIdentity(claims);
    try {
      return readPerson(claims, rules);
    } catch (error) {
      const apiKeyId = await people.find(identity);
      if (apiKeyId !== undefined) await sessions.endAll(apiKeyId);
      throw error;
    }
  }

  async function identify(query: string, pending: PendingSignIn): Promise<number> {
    const person = await admit(await provider.identify(query, pending, neededClaims(rules)));
    const apiKeyId = await people.admit(person);
    if (apiKeyId === undefined)
      throw new SignInFailed('revoked', 'the API key of the person is revoked or has expired');
    return apiKeyId;
  }

  /** Logs failures that an administrator may have to act on; the other ones anybody can cause. */
  function logFailure(error: unknown): void {
    if (error instanceof SignInFailed)
      log.warn(
        { reason: error.reason, detail: error.message, ...error.details },
        'failed to sign a person in',
      );
  }

  return {
    /** Begins a sign-in that leads to `returnPath` and ends `session`: the address at the provider, and the text for the browser to keep.
     *  Throws SignInFailed. */
    async begin(options: {
      returnPath: string;
      /** Whether the provider asks which account to use. */
      choosesAccount: boolean;
      /** The token of the current session of the browser. */
      session: string | undefined;
    }): Promise<{ url: string; kept: string }> {
      const { returnPath, choosesAccount, session } = options;
      try {
        const secret = await loadSecret();
        const { url, checks } = await provider.begin({ choosesAccount });
        const expiresAt = Date.now() + signInMinutes * 60_000;
        return { url, kept: seal({ ...checks, returnPath, session, expiresAt }, secret) };
      } catch (error) {
        logFailure(error);
        throw error;
      }
    },

    /** The sign-in that this browser keeps, and that the state in the answer of the provider belongs to. Throws SignInFailed. */
    async recall(kept: string | undefined, state: string | undefined): Promise<PendingSignIn> {
      const pending = kept === undefined ? undefined : unseal(kept, await loadSecret());
      if (pending === undefined || state === undefined || !isEqual(state, pending.state))
        throw new SignInFailed('unknown', 'the browser has not begun this sign-in');
      if (pending.expiresAt <= Date.now()) throw new SignInFailed('expired', 'the sign-in has expired');
      return pending;
    },

    /** Completes a sign-in with the query of the answer of the provider; resolves to the token of the new session. Throws SignInFailed. */
    async complete(pending: PendingSignIn, query: string, browser: Browser): Promise<string> {
      try {
        const apiKeyId = await identify(query, pending);
        const current = { ...browser, token: browser.token ?? pending.session };
        const token = await sessions.signInPerson(apiKeyId, current, sessionHours);
        if (token === undefined) throw new SignInFailed('revoked', 'the API key of the person was revoked');
        return token;
      } catch (error) {
        logFailure(error);
        throw error;
      }
    },
  };
}

function isEqual(one: string, other: string): boolean {
  const [first, second] = [Buffer.from(one), Buffer.from(other)];
  return first.length === second.length && timingSafeEqual(first, second);
}
