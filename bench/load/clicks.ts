import type { IncomingMessage } from 'node:http';
import { createUserAgents } from '../../src/clicks/enrichment/agents/user-agents.ts';
import { createEnricher } from '../../src/clicks/enrichment/enrich.ts';
import { createReferrers } from '../../src/clicks/enrichment/referrers.ts';
import { createVisitorIds } from '../../src/clicks/enrichment/visitor-ids.ts';
import { createReadClientAddress } from '../../src/http/server/client-address.ts';
import { createRandom, createZipf } from '../../test/support/random.ts';
import { createVisitors, detailSettings } from './visitors.ts';

/** Returns the n-th click, with all details, of all kinds of visitors on these short URLs, by Zipf's law; `perMs` clicks have the same
 *  time. The clicks repeat after 50,000. */
export function createClicks(seed: string, { urlIds, perMs }: { urlIds: number[]; perMs: number }) {
  const enrichClick = createEnricher({
    userAgents: createUserAgents(),
    referrers: createReferrers([]),
    countryHeader: detailSettings.COUNTRY_HEADER.toLowerCase(),
    countryFile: undefined,
    visitorIds: createVisitorIds({ saltAt: () => 'a salt' }),
    respectsDoNotTrack: true,
    readAddress: createReadClientAddress(Number(detailSettings.TRUSTED_PROXY_HOPS)),
  });
  const visitor = createVisitors(seed);
  const pickUrl = createZipf(urlIds, createRandom(seed));
  const startMs = Date.now();
  const chosen = Array.from({ length: 50_000 }, () => {
    const headers = Object.entries(visitor()).map(([name, value]) => [name.toLowerCase(), value] as const);
    const request = { headers: Object.fromEntries(headers), socket: {} } as unknown as IncomingMessage;
    return { urlId: pickUrl(), detail: enrichClick(request, startMs) };
  });
  return (n: number) => ({ ...chosen[n % chosen.length]!, atMs: startMs + Math.floor(n / perMs) });
}
