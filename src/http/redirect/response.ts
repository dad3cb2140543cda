import type { Context } from 'koa';
import type { CachedUrl } from '../../urls/cache/entry.ts';
import { forwardQuery, queryOf } from './forward-query.ts';

/** A redirect as it is answered; without a body. */
export interface RedirectAnswer {
  status: number;
  headers: Readonly<Record<string, string>>;
}

export type RedirectAnswers = ReturnType<typeof createRedirectResponse>;

/** What redirects answer: as their short URLs say, else with this status, kept by browsers for so long. */
export function createRedirectResponse(usual: { status: number; maxAgeSeconds: number }) {
  const answer = (status: number, location: string, cacheControl: string): RedirectAnswer => ({
    status,
    headers: { Location: location, 'Cache-Control': cacheControl, 'Content-Length': '0' },
  });

  function cacheControlOf({ expiresAtMs, rules }: CachedUrl): string {
    const maxAgeSeconds = rules?.redirectMaxAgeSeconds ?? usual.maxAgeSeconds;
    if (maxAgeSeconds === 0) return askAgain;
    if (expiresAtMs === null) return keepFor(maxAgeSeconds);
    // Nobody is to keep it when its time is over.
    const leftSeconds = Math.max(Math.floor((expiresAtMs - Date.now()) / 1_000), 0);
    return keepFor(Math.min(maxAgeSeconds, leftSeconds));
  }

  return {
    /** Leads to the original URL, byte for byte but for a query that is forwarded; `target` is that of the request. */
    toOriginal(url: CachedUrl, target: string): RedirectAnswer {
      const { originalUrl, rules } = url;
      const location = rules?.forwardQuery ? forwardQuery(originalUrl, queryOf(target)) : originalUrl;
      return answer(rules?.redirectStatus ?? usual.status, location, cacheControlOf(url));
    },

    /** Leads for the moment to where a short URL leads that has expired or is used up. */
    toFallback: (fallbackUrl: string): RedirectAnswer => answer(302, fallbackUrl, 'no-store'),
  };
}

const askAgain = 'private, max-age=0, must-revalidate';
const keepFor = (seconds: number) => (seconds === 0 ? askAgain : `private, max-age=${seconds}`);

/** What nobody may keep: a browser that remembers it would not ask again. */
export const uncached = ({ status, headers }: RedirectAnswer): RedirectAnswer => ({
  status,
  headers: { ...headers, 'Cache-Control': 'no-store' },
});

/** Answers a redirect through Koa. Throws for a URL that no header can carry. */
export function answerRedirect(ctx: Context, { status, headers }: RedirectAnswer): void {
  ctx.set(headers);
  // The body before the status: an empty body alone would be a 204, and it removes the length.
  ctx.body = null;
  ctx.status = status;
  ctx.length = 0;
}
