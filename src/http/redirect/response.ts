import type { Context } from 'koa';
import type { CachedUrl } from '../../urls/cache/entry.ts';
import { forwardQuery, queryOf } from './forward-query.ts';

/** Status and headers of a redirect, which has no body. */
export interface RedirectResponse {
  status: number;
  headers: Readonly<Record<string, string>>;
}

export type RedirectResponses = ReturnType<typeof createRedirectResponses>;

/** Builds the responses of redirects. Each short URL may override the default status and browser cache time. */
export function createRedirectResponses(defaults: { status: number; maxAgeSeconds: number }) {
  const build = (status: number, location: string, cacheControl: string): RedirectResponse => ({
    status,
    headers: { Location: location, 'Cache-Control': cacheControl, 'Content-Length': '0' },
  });

  function cacheControlOf({ expiresAtMs, rules }: CachedUrl): string {
    const maxAgeSeconds = rules?.redirectMaxAgeSeconds ?? defaults.maxAgeSeconds;
    if (maxAgeSeconds === 0) return revalidate;
    if (expiresAtMs === null) return cacheFor(maxAgeSeconds);
    // No cached redirect outlives the short URL.
    const leftSeconds = Math.max(Math.floor((expiresAtMs - Date.now()) / 1_000), 0);
    return cacheFor(Math.min(maxAgeSeconds, leftSeconds));
  }

  return {
    /** Redirects to the original URL, byte for byte except for a forwarded query; `target` is the request's. */
    toOriginal(url: CachedUrl, target: string): RedirectResponse {
      const { originalUrl, rules } = url;
      const location = rules?.forwardQuery ? forwardQuery(originalUrl, queryOf(target)) : originalUrl;
      return build(rules?.redirectStatus ?? defaults.status, location, cacheControlOf(url));
    },

    /** Redirects temporarily to the fallback URL of a short URL that has expired or reached its click limit. */
    toFallback: (fallbackUrl: string): RedirectResponse => build(302, fallbackUrl, 'no-store'),
  };
}

const revalidate = 'private, max-age=0, must-revalidate';
const cacheFor = (seconds: number) => (seconds === 0 ? revalidate : `private, max-age=${seconds}`);

/** The same response without caching: every visit must reach the service. */
export const uncached = ({ status, headers }: RedirectResponse): RedirectResponse => ({
  status,
  headers: { ...headers, 'Cache-Control': 'no-store' },
});

/** Sends a redirect through Koa. Throws if the URL cannot be a header. */
export function sendRedirect(ctx: Context, { status, headers }: RedirectResponse): void {
  ctx.set(headers);
  // The body before the status: an empty body sets 204 and removes the length.
  ctx.body = null;
  ctx.status = status;
  ctx.length = 0;
}
