import type { Context } from 'koa';
import { parseUrl } from '../../validation/parse-url.ts';

/** Whether a page of this service sent a request, or no page at all. A browser names the page's origin with every write; what
 *  names none is no browser. */
export function isFromOwnPage(ctx: Context, baseUrl: string): boolean {
  const site = ctx.get('sec-fetch-site');
  if (site) return site === 'same-origin';
  const origin = ctx.get('origin');
  return !origin || origin === new URL(baseUrl).origin || parseUrl(origin)?.host === ctx.get('host');
}
