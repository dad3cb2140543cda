import type { Context } from 'koa';
import { parseUrl } from '../../validation/parse-url.ts';

/** What sent a request, by the headers that scripts of a page cannot set. `user`: the address bar or a bookmark. `unknown`: no browser, or a
 *  browser that sends none of these headers. */
export type RequestSource = 'own-page' | 'other-page' | 'user' | 'unknown';

/** What sent a request. On plain HTTP browsers send no `Sec-Fetch-Site`, and `Origin` only with changes: `Referer` remains. */
export function requestSourceOf(ctx: Context, baseUrl: string): RequestSource {
  const site = ctx.get('sec-fetch-site');
  if (site === 'none') return 'user';
  if (site) return site === 'same-origin' ? 'own-page' : 'other-page';
  const page = ctx.get('origin') || ctx.get('referer');
  if (!page) return 'unknown';
  return isOwnPage(ctx, page, baseUrl) ? 'own-page' : 'other-page';
}

/** Whether a request comes from a page of this service, or not from a browser: browsers send an origin with every write. */
export function isSameOrigin(ctx: Context, baseUrl: string): boolean {
  const site = ctx.get('sec-fetch-site');
  if (site) return site === 'same-origin';
  const origin = ctx.get('origin');
  return !origin || isOwnPage(ctx, origin, baseUrl);
}

/** Whether a request comes from a page that a browser has over plain HTTP, although the base URL has HTTPS. Browsers do not keep the cookies of
 *  this service then, except on the local machine, to which they send `Sec-Fetch-Site`. */
export const isFromPlainHttp = (ctx: Context, baseUrl: string): boolean =>
  new URL(baseUrl).protocol === 'https:' &&
  ctx.get('sec-fetch-site') === '' &&
  ctx.get('origin').startsWith('http:');

function isOwnPage(ctx: Context, page: string, baseUrl: string): boolean {
  const url = parseUrl(page);
  return url !== undefined && (url.origin === new URL(baseUrl).origin || url.host === ctx.get('host'));
}
