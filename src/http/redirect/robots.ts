import type Router from '@koa/router';
import { isShortCode } from '../../keys/short-code.ts';
import { pathOfCode } from '../../urls/short-url.ts';
import type { UrlStore } from '../../urls/store/url-store.ts';

/** Crawlers read so many lines, about, and no more. */
const maxCodes = 10_000;
const maxAgeSeconds = 60;

/** `GET /robots.txt`: crawlers may follow the short URLs that say so, the latest first, and nothing else. Asks the table once a
 *  minute at most. */
export function addRobotsRoute(
  router: Router,
  urlStore: Pick<UrlStore, 'findCrawlable'>,
  basePath: string,
): void {
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

  router.get('/robots.txt', async (ctx) => {
    ctx.body = await read();
    ctx.type = 'text/plain';
    ctx.set('Cache-Control', `public, max-age=${maxAgeSeconds}`);
  });
}
