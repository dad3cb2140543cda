import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Middleware } from 'koa';
import type { ClickRecorder } from '../clicks/click-recorder.ts';
import type { DetailOf } from '../clicks/details/click-details.ts';
import type { CachedUrl } from '../urls/cache-entry.ts';
import { isShortCode } from '../urls/short-code.ts';
import type { Urls } from '../urls/urls.ts';
import { methodNotAllowed } from './errors.ts';

interface RedirectDeps {
  urls: Pick<Urls, 'resolve' | 'resolveAtOnce'>;
  clickRecorder: Pick<ClickRecorder, 'record' | 'recordThen'>;
  detailOf: DetailOf;
  status: number;
  maxAgeSeconds: number;
}

type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

export type Redirect = ReturnType<typeof createRedirect>;

/** `GET /{short_code}`: to the original URL, byte for byte, and one click more. `HEAD` answers the same headers and counts
 *  nothing. */
export function createRedirect({ urls, clickRecorder, detailOf, status, maxAgeSeconds }: RedirectDeps) {
  const cacheControl = `private, max-age=${maxAgeSeconds}${maxAgeSeconds === 0 ? ', must-revalidate' : ''}`;

  /** Why a code leads nowhere, from when that is known until Koa answers it. */
  const failures = new WeakMap<IncomingMessage, unknown>();

  /** Throws for a URL that another program stored and no header can carry. */
  function send(response: ServerResponse, { id, originalUrl }: CachedUrl, now: number): void {
    // Is sent with the end.
    response.writeHead(status, {
      Location: originalUrl,
      'Cache-Control': cacheControl,
      'Content-Length': '0',
    });
    clickRecorder.recordThen(id, now, () => response.end(), detailOf(response.req, now));
  }

  return {
    /** Answers a redirect that this process knows by heart, and resolves it to nothing else: a visitor waits. False when it is
     *  for others. */
    answerAtOnce(request: IncomingMessage, response: ServerResponse): boolean {
      if (request.method !== 'GET') return false;
      const now = Date.now();
      const url = urls.resolveAtOnce(codeOf(request.url!), now);
      if (!url) return false;
      try {
        send(response, url, now);
        return true;
      } catch {
        return false;
      }
    },

    /** Answers a redirect as soon as a store tells where it leads, ahead of Koa, which is for what leads nowhere and for every
     *  other request. */
    async answerSoon(request: IncomingMessage, response: ServerResponse, koa: Handler): Promise<void> {
      const shortCode = codeOf(request.url!);
      if (request.method === 'GET' && isShortCode(shortCode)) {
        const now = Date.now();
        try {
          send(response, await urls.resolve(shortCode, now), now);
          return;
        } catch (error) {
          failures.set(request, error);
        }
      }
      await koa(request, response);
    },

    /** Answers what is left of redirects, such as HEAD and what they cannot be; stands before every other middleware. */
    middleware: (async (ctx, next) => {
      if (failures.has(ctx.req)) throw failures.get(ctx.req);
      const shortCode = ctx.path.slice(1);
      if (!isShortCode(shortCode)) {
        await next();
        return;
      }
      const isGet = ctx.method === 'GET';
      if (!isGet && ctx.method !== 'HEAD') throw methodNotAllowed('GET, HEAD');
      const now = Date.now();
      const url = await urls.resolve(shortCode, now);
      if (isGet) await clickRecorder.record(url.id, now, detailOf(ctx.req, now));
      // The body before the status: an empty body alone would be a 204.
      ctx.body = null;
      ctx.status = status;
      ctx.length = 0;
      ctx.set('Location', url.originalUrl);
      ctx.set('Cache-Control', cacheControl);
    }) satisfies Middleware as Middleware,
  };
}

/** The path of a request line without its slash and its query. */
export function codeOf(path: string): string {
  const end = path.indexOf('?');
  return end === -1 ? path.slice(1) : path.slice(1, end);
}
