import type { IncomingMessage } from 'node:http';
import type { ClickDetail } from '../click-detail.ts';
import type { UserAgents } from './agents/user-agents.ts';
import { toCountryCode } from './geoip/country-code.ts';
import type { CountryFile } from './geoip/country-file.ts';
import type { Referrers } from './referrers.ts';
import type { VisitorIds } from './visitor-ids.ts';

/** Derives the details of the click that a request at a given time represents. */
export type EnrichClick = (request: IncomingMessage, atMs: number) => ClickDetail | undefined;

/** Creates the enrichment of clicks. It runs in each redirect, uses caches, and never throws. */
export function createEnricher(deps: {
  userAgents: UserAgents;
  referrers: Referrers;
  /** Header with the country from a CDN, in lower case; takes precedence over the GeoIP file. */
  countryHeader: string | undefined;
  countryFile: Pick<CountryFile, 'find'> | undefined;
  /** Undefined disables visitor tracking. */
  visitorIds: VisitorIds | undefined;
  respectsDoNotTrack: boolean;
  readAddress: (request: IncomingMessage) => string;
}): EnrichClick {
  const { userAgents, referrers, countryHeader, countryFile, visitorIds, respectsDoNotTrack, readAddress } =
    deps;

  function countryOf(request: IncomingMessage): string {
    const named = countryHeader === undefined ? undefined : request.headers[countryHeader];
    return toCountryCode(named ?? countryFile?.find(readAddress(request)));
  }

  const hasOptedOut = ({ headers }: IncomingMessage) => headers['sec-gpc'] === '1' || headers['dnt'] === '1';

  return (request, atMs) => {
    const { headers } = request;
    const { browser, os, device, isBot, botKind, digest } = userAgents.find(headers['user-agent'] ?? '');
    const isTracked = !(respectsDoNotTrack && hasOptedOut(request));
    return {
      country: countryOf(request),
      referrer: headers.referer === undefined ? '' : referrers.findHost(headers.referer),
      browser,
      os,
      device,
      isBot,
      botKind,
      visitor: isTracked && visitorIds ? visitorIds.idOf(readAddress(request), digest, atMs) : '',
    };
  };
}
