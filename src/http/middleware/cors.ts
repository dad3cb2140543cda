import type { Context, Middleware } from 'koa';

/** Request headers that pages can send, in addition to the CORS-safelisted ones. */
const requestHeaders = [
  'Authorization',
  'Content-Type',
  'Idempotency-Key',
  'If-Match',
  'If-None-Match',
  'Last-Event-ID',
  'X-API-Key',
].join(', ');

/** Response headers that pages can read, in addition to the CORS-safelisted ones. */
const exposedHeaders = [
  'Accept-Patch',
  'Allow',
  'Content-Disposition',
  'ETag',
  'Idempotent-Replayed',
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

/** Time for which browsers cache a preflight. Chromium caps it at 2 hours, Firefox at 24. */
const maxAgeSeconds = '7200';

/** Paths for other origins: the API and its document. */
const isShared = (path: string) => path.startsWith('/api/') || path === '/openapi.json';

/** Allows pages of these origins, or of every origin with `*`, to use the API (CORS), without credentials. Must run before
 *  authentication, since preflights have no API key. Without origins it does nothing. */
export function allowOrigins(origins: readonly string[]): Middleware {
  const allowed = new Set(origins);
  const allowsAll = allowed.has('*');

  function allow(ctx: Context): boolean {
    const origin = ctx.get('origin');
    if (!allowsAll) ctx.vary('Origin');
    if (origin === '' || !(allowsAll || allowed.has(origin))) return false;
    ctx.set('Access-Control-Allow-Origin', allowsAll ? '*' : origin);
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
