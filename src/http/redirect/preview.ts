import type { IncomingMessage } from 'node:http';
import type { Context, Middleware } from 'koa';
import { decodePath, readShortCode, toShortCode, withoutPunctuation } from '../../keys/short-code.ts';
import type { UsageLimit } from '../../urls/access/usage-limit.ts';
import { shortUrlOf } from '../../urls/short-url.ts';
import { type StoredUrl, UrlNotFound } from '../../urls/url.ts';
import type { Urls } from '../../urls/urls.ts';
import { pageAnswer, wantsJson } from '../pages/page.ts';
import type { Pages } from '../pages/pages.ts';
import { hostOf, type Preview } from '../pages/preview-page.ts';
import { methodNotAllowed } from '../problems/problem.ts';
import type { PublicAnswer } from '../routes/public-route.ts';
import { sendAnswer } from '../routes/reply.ts';
import { shortCodeOf } from '../server/target-path.ts';
import { requireClicksLeft } from './access.ts';
import type { PreviewBody, visitRoutes } from './visit-routes.ts';

/** `GET /{short_code}+`: shows the original URL of a short URL. It neither redirects nor records a click. */
export function createPreview(deps: {
  urls: Pick<Urls, 'resolve'>;
  findUrl: (shortCode: string) => Promise<StoredUrl | undefined>;
  usageLimit: Pick<UsageLimit, 'hasClicksLeft'>;
  /** Whether a client has requested too many unknown codes. */
  isThrottled: (request: IncomingMessage) => boolean;
  pages: Pages;
  baseUrl: string;
}) {
  const { urls, findUrl, usageLimit, isThrottled, pages, baseUrl } = deps;

  async function find(shortCode: string, request: IncomingMessage): Promise<Preview> {
    // Rejects unknown codes from the caches, without a database query.
    const cached = await urls.resolve(shortCode, Date.now(), isThrottled(request));
    const url = await findUrl(shortCode);
    if (!url?.isActive || url.isDeleted) throw new UrlNotFound('short URL not found');
    await requireClicksLeft(usageLimit, cached);
    return toPreview(url);
  }

  async function answer(ctx: Context, shortCode: string): Promise<void> {
    if (ctx.method !== 'GET' && ctx.method !== 'HEAD') throw methodNotAllowed('GET, HEAD');
    const preview = await find(shortCode, ctx.req);
    const response: PublicAnswer<typeof visitRoutes.previewUrl> = wantsJson(ctx)
      ? { status: 200, body: presentPreview(preview, baseUrl) }
      : pageAnswer(200, pages(ctx).preview(preview));
    sendAnswer(ctx, response);
  }

  return {
    answer,

    middleware: (async (ctx, next) => {
      const shortCode = readPreviewCode(shortCodeOf(ctx.path));
      await (shortCode === undefined ? next() : answer(ctx, shortCode));
    }) satisfies Middleware as Middleware,
  };
}

/** Reads the short code before the "+" of a path, which may have been copied with punctuation; undefined if there is none. */
function readPreviewCode(path: string): string | undefined {
  if (path.endsWith('+')) return readShortCode(path.slice(0, -1));
  const text = path.includes('+') || path.includes('%') ? withoutPunctuation(decodePath(path) ?? '') : '';
  return text.endsWith('+') ? toShortCode(text.slice(0, -1)) : undefined;
}

/** Hides the URL and title of a short URL that requires a password or works once. */
function toPreview(url: StoredUrl): Preview {
  const hasPassword = url.passwordHash !== null;
  const isHidden = hasPassword || url.isOneTime;
  return {
    shortCode: url.shortCode,
    originalUrl: isHidden ? undefined : url.originalUrl,
    title: isHidden ? undefined : (url.title ?? undefined),
    createdAt: url.createdAt,
    expiresAt: url.expiresAt,
    hasPassword,
    isOneTime: url.isOneTime,
  };
}

function presentPreview(preview: Preview, baseUrl: string): PreviewBody {
  const { shortCode, originalUrl, title, createdAt, expiresAt, hasPassword, isOneTime } = preview;
  const host = originalUrl === undefined ? undefined : hostOf(originalUrl);
  return {
    short_code: shortCode,
    short_url: shortUrlOf(baseUrl, shortCode),
    original_url: originalUrl ?? null,
    host: host?.ascii || null,
    host_unicode: host?.unicode || null,
    title: title ?? null,
    created_at: createdAt.toISOString(),
    expires_at: expiresAt?.toISOString() ?? null,
    has_password: hasPassword,
    is_one_time: isOneTime,
  };
}
