import type { Context } from 'koa';
import { sessionDays } from '../../sessions/session.ts';
import type { Browser } from '../../sessions/sessions.ts';
import { signInMinutes } from '../../single-sign-on/pending-sign-in.ts';
import { basePathOf } from '../base-path.ts';

const maxUserAgentLength = 300;
const sessionName = 'linkmill';

/** The name of the cookie with the token of a session. */
export const sessionCookieName = (baseUrl: string): string => nameOf(sessionName, baseUrl);

/** The cookie with the token of a session. */
export function createSessionCookie(baseUrl: string) {
  const cookie = createCookie(baseUrl, {
    name: sessionName,
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

/** A name with the prefix `__Host-` where the service has HTTPS, so that no other host can set the cookie. Such a cookie has the path `/`, so
 *  that the name contains the base path: other services below the same host have other cookies. */
function nameOf(name: string, baseUrl: string): string {
  const prefix = isSecure(baseUrl) ? '__Host-' : '';
  // A base path has unreserved characters only.
  return `${prefix}${name}${basePathOf(baseUrl).replaceAll('/', '+')}`;
}

const isSecure = (baseUrl: string) => new URL(baseUrl).protocol === 'https:';

/** A cookie that scripts cannot read. */
function createCookie(
  baseUrl: string,
  options: { name: string; sameSite: 'Strict' | 'Lax'; maxAgeSeconds: number },
) {
  const name = nameOf(options.name, baseUrl);
  const attributes = `Path=/; HttpOnly; SameSite=${options.sameSite}${isSecure(baseUrl) ? '; Secure' : ''}`;
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
