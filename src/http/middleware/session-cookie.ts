import type { Context } from 'koa';
import { sessionDays } from '../../sessions/session.ts';
import type { Browser } from '../../sessions/sessions.ts';
import { signInMinutes } from '../../single-sign-on/pending-sign-in.ts';

const maxUserAgentLength = 300;

/** The cookie with the token of a session. */
export function createSessionCookie(baseUrl: string) {
  const cookie = createCookie(baseUrl, {
    name: 'linkmill',
    sameSite: 'Strict',
    maxAgeSeconds: sessionDays * 24 * 3_600,
  });
  return {
    ...cookie,

    /** The browser of a request that signs in. Its user agent is without control characters, such as those of terminals. */
    browserOf: (ctx: Context): Browser => ({
      userAgent:
        ctx
          .get('user-agent')
          .replaceAll(/\p{Cc}/gu, '')
          .slice(0, maxUserAgentLength) || null,
      token: cookie.read(ctx),
    }),
  };
}

/** The cookie with a sign-in in progress. `Lax`, because the provider sends the browser back from another site. */
export const createSignInCookie = (baseUrl: string) =>
  createCookie(baseUrl, { name: 'linkmill-sign-in', sameSite: 'Lax', maxAgeSeconds: signInMinutes * 60 });

/** A cookie that scripts cannot read. With HTTPS its name has the prefix `__Host-`, so that no other host can set it. */
function createCookie(
  baseUrl: string,
  options: { name: string; sameSite: 'Strict' | 'Lax'; maxAgeSeconds: number },
) {
  const isSecure = new URL(baseUrl).protocol === 'https:';
  const name = `${isSecure ? '__Host-' : ''}${options.name}`;
  const attributes = `Path=/; HttpOnly; SameSite=${options.sameSite}${isSecure ? '; Secure' : ''}`;
  return {
    /** The value that a request carries; undefined for none. */
    read(ctx: Context): string | undefined {
      for (const pair of ctx.get('cookie').split(';')) {
        const end = pair.indexOf('=');
        if (end !== -1 && pair.slice(0, end).trim() === name) return pair.slice(end + 1).trim() || undefined;
      }
      return undefined;
    },

    /** The value of `Set-Cookie` that stores a value. */
    store: (value: string) => `${name}=${value}; Max-Age=${options.maxAgeSeconds}; ${attributes}`,

    /** The value of `Set-Cookie` that removes the cookie. */
    removal: `${name}=; Max-Age=0; ${attributes}`,
  };
}
