import type { Context, Middleware } from 'koa';

/** What a page may send, besides what every page may. */
const requestHeaders = [
  'Authorization',
  'Content-Type',
  'Idempotency-Key',
  'If-Match',
  'If-None-Match',
  'Last-Event-ID',
  'X-API-Key',
].join(', ');

/** What a page may read, besides what every page may. */
const exposedHeaders = [
  'Accept-Patch',
  'Allow',
  'Content-Disposition',
  'ETag',
  'Idempotency-Replayed',
  'Location',
  'RateLimit',
  'RateLimit-Limit',
  'RateLimit-Policy',
  'RateLimit-Remaining',
  'RateLimit-Reset',
  'Retry-After',
  'WWW-Authenticate',
].join(', ');

const methods = 'GET, HEAD, POST, PUT, PATCH, DELETE';

/** How long a browser may keep what a preflight was answered; browsers keep it for two hours to a day at most. */
const maxAgeSeconds = '7200';

/** What other origins may read: the API and the document that describes it. */
const isShared = (path: string) => path.startsWith('/api/') || path === '/openapi.json';

/** Lets pages of these origins, or of every origin with `*`, use the API (CORS, as in the Fetch Standard), always without cookies and
 *  logins. Answers preflights, which carry no API key, before the API asks for one. Without origins it does nothing. */
export function shareWithOrigins(origins: readonly string[]): Middleware {
  const allowed = new Set(origins);
  const isForAll = allowed.has('*');

  function allow(ctx: Context): boolean {
    const origin = ctx.get('origin');
    if (!isForAll) ctx.vary('Origin');
    if (origin === '' || !(isForAll || allowed.has(origin))) return false;
    ctx.set('Access-Control-Allow-Origin', isForAll ? '*' : origin);
    return true;
  }

  return async (ctx, next) => {
    if (allowed.size === 0 || !isShared(ctx.path)) {
      await next();
      return;
    }
    const isAllowed = allow(ctx);
    if (ctx.method !== 'OPTIONS' || ctx.get('access-control-request-method') === '') {
      if (isAllowed) {
        ctx.set('Access-Control-Expose-Headers', exposedHeaders);
        ctx.set('Cross-Origin-Resource-Policy', 'cross-origin');
      }
      await next();
      return;
    }
    ctx.vary('Access-Control-Request-Method');
    ctx.vary('Access-Control-Request-Headers');
    if (isAllowed) {
      ctx.set('Access-Control-Allow-Methods', methods);
      ctx.set('Access-Control-Allow-Headers', requestHeaders);
      ctx.set('Access-Control-Max-Age', maxAgeSeconds);
    }
    ctx.status = 204;
  };
}
