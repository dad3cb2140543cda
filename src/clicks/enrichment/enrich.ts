import type { IncomingMessage } from 'node:http';
import type { ClickDetail } from '../click-detail.ts';
import type { UserAgents } from './agents/user-agents.ts';
import { toCountryCode } from './geoip/country-code.ts';
import type { CountryFile } from './geoip/country-file.ts';
import type { Referrers } from './referrers.ts';
import type { VisitorIds } from './visitor-ids.ts';

/** Works out what is known of the click that a request stands for, at a moment. */
export type DetailOf = (request: IncomingMessage, atMs: number) => ClickDetail | undefined;

/** Reads who clicked from a request, by heart where it can: it is on the way of each redirect, and never throws. */
export function createEnricher(deps: {
  userAgents: UserAgents;
  referrers: Referrers;
  /** Header in which a CDN names the country, in lower case; where it is there it decides. */
  countryHeader: string | undefined;
  countryFile: Pick<CountryFile, 'find'> | undefined;
  /** Undefined: no visitor is told apart. */
  visitorIds: VisitorIds | undefined;
  honoursDoNotTrack: boolean;
  readAddress: (request: IncomingMessage) => string;
}): DetailOf {
  const { userAgents, referrers, countryHeader, countryFile, visitorIds, honoursDoNotTrack, readAddress } =
    deps;

  function countryOf(request: IncomingMessage): string {
    const named = countryHeader === undefined ? undefined : request.headers[countryHeader];
    return toCountryCode(named ?? countryFile?.find(readAddress(request)));
  }

  const asksNotToBeTracked = ({ headers }: IncomingMessage) =>
    headers['sec-gpc'] === '1' || headers['dnt'] === '1';

  return (request, atMs) => {
    const { headers } = request;
    const { browser, os, device, isBot, botKind, digest } = userAgents.find(headers['user-agent'] ?? '');
    const isTracked = !(honoursDoNotTrack && asksNotToBeTracked(request));
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
