import type { Context } from 'koa';
import { parseUrl } from '../../validation/parse-url.ts';

/** Whether a request comes from a page of this service, or not from a browser: browsers send an origin with every write. */
export function isSameOrigin(ctx: Context, baseUrl: string): boolean {
  const site = ctx.get('sec-fetch-site');
  if (site) return site === 'same-origin';
  const origin = ctx.get('origin');
  return !origin || origin === new URL(baseUrl).origin || parseUrl(origin)?.host === ctx.get('host');
}
