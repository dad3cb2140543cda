import type { Context } from 'koa';
import { sessionDays } from '../../sessions/session.ts';

const maxAgeSeconds = sessionDays * 24 * 3_600;

/** The cookie with the token of a session. With HTTPS its name has the prefix `__Host-`, so that no other host can set it. */
export function createSessionCookie(baseUrl: string) {
  const isSecure = new URL(baseUrl).protocol === 'https:';
  const name = isSecure ? '__Host-linkmill' : 'linkmill';
  const attributes = `Path=/; HttpOnly; SameSite=Strict${isSecure ? '; Secure' : ''}`;
  return {
    /** The token that a request carries; undefined for none. */
    read(ctx: Context): string | undefined {
      for (const pair of ctx.get('cookie').split(';')) {
        const end = pair.indexOf('=');
        if (end !== -1 && pair.slice(0, end).trim() === name) return pair.slice(end + 1).trim() || undefined;
      }
      return undefined;
    },

    /** The value of `Set-Cookie` that stores a token. */
    store: (token: string) => `${name}=${token}; Max-Age=${maxAgeSeconds}; ${attributes}`,

    /** The value of `Set-Cookie` that removes the cookie. */
    removal: `${name}=; Max-Age=0; ${attributes}`,
  };
}
