import type { Middleware } from 'koa';
import type { ClickRecorder } from '../clicks/click-recorder.ts';
import { isShortCode } from '../urls/short-code.ts';
import type { Urls } from '../urls/urls.ts';
import { methodNotAllowed } from './errors.ts';

/** `GET /{short_code}`: to the original URL, byte for byte, and one click more. `HEAD` answers the same headers and counts
 *  nothing. Stands before every other middleware, since a visitor waits. */
export function redirect(deps: {
  urls: Urls;
  clickRecorder: Pick<ClickRecorder, 'record'>;
  status: number;
  maxAgeSeconds: number;
}): Middleware {
  const { urls, clickRecorder, status, maxAgeSeconds } = deps;
  const cacheControl = `private, max-age=${maxAgeSeconds}${maxAgeSeconds === 0 ? ', must-revalidate' : ''}`;

  return async (ctx, next) => {
    const shortCode = ctx.path.slice(1);
    if (!isShortCode(shortCode)) {
      await next();
      return;
    }
    const isGet = ctx.method === 'GET';
    if (!isGet && ctx.method !== 'HEAD') throw methodNotAllowed('GET, HEAD');
    const now = Date.now();
    const url = await urls.resolve(shortCode, now);
    if (isGet) await clickRecorder.record(url.id, now);
    // The body before the status: an empty body alone would be a 204.
    ctx.body = null;
    ctx.status = status;
    ctx.set('Location', url.originalUrl);
    ctx.set('Cache-Control', cacheControl);
  };
}
