import { isShortCode } from '../../keys/short-code.ts';
import { pathOfCode } from '../../urls/short-url.ts';
import type { UrlStore } from '../../urls/store/url-store.ts';
import { basePathOf } from '../base-path.ts';
import type { PublicHandlers, PublicRoutes } from '../routes/public-route.ts';

/** Crawlers read about this many lines (Google: the first 500 KiB). */
const maxCodes = 10_000;
const maxAgeSeconds = 60;

export const robotsRoutes = {
  getRobots: {
    method: 'get',
    path: '/robots.txt',
    summary: 'Get the robots.txt',
    description: 'Lists at most 10,000 short URLs, and is at most a minute old.',
    replies: {
      200: {
        description: 'Allows the latest `crawlable` short URLs, and disallows everything else.',
        content: ['text/plain'],
      },
    },
    problems: [],
  },
} as const satisfies PublicRoutes;

/** Allows crawlers the latest crawlable short URLs, and nothing else. Queries the database at most once a minute. */
export function robotsHandlers({
  urlStore,
  baseUrl,
}: {
  urlStore: Pick<UrlStore, 'findCrawlable'>;
  baseUrl: string;
}): PublicHandlers<typeof robotsRoutes> {
  const basePath = basePathOf(baseUrl);
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

  return {
    getRobots: async () => ({
      status: 200,
      headers: { 'Cache-Control': `public, max-age=${maxAgeSeconds}` },
      type: 'text/plain',
      body: await read(),
    }),
  };
}
