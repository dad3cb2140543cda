import type { Middleware } from 'koa';
import { isShortCode } from '../../keys/short-code.ts';
import { pathOfCode } from '../../urls/short-url.ts';
import type { UrlStore } from '../../urls/store/url-store.ts';

/** Crawlers read about this many lines (Google: the first 500 KiB). */
const maxCodes = 10_000;
const maxAgeSeconds = 60;

/** `GET /robots.txt`: allows crawlers the latest crawlable short URLs, and nothing else. Queries the database at most once a
 *  minute. */
export function createRobotsHandler(urlStore: Pick<UrlStore, 'findCrawlable'>, basePath: string): Middleware {
  let known: { text: Promise<string>; until: number } | undefined;

  async function write(): Promise<string> {
    const codes = await urlStore.findCrawlable(new Date(), maxCodes);
    return [
      'User-agent: *',
      ...codes.filter(isShortCode).map((code) => `Allow: ${basePath}/${pathOfCode(code)}$`),
      `Disallow: ${basePath}/`,
      '',
    ].join('\n');
  }

  async function read(): Promise<string> {
    if (known && known.until > performance.now()) return await known.text;
    const current = { text: write(), until: performance.now() + maxAgeSeconds * 1_000 };
    known = current;
    try {
      return await current.text;
    } catch (error) {
      if (known === current) known = undefined;
      throw error;
    }
  }

  return async (ctx) => {
    ctx.body = await read();
    ctx.type = 'text/plain';
    ctx.set('Cache-Control', `public, max-age=${maxAgeSeconds}`);
  };
}
