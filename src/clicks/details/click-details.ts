import type { IncomingMessage } from 'node:http';
import type { ClickDetail } from '../click-detail.ts';
import type { CountryFile } from './country-file.ts';
import type { Referrers } from './referrers.ts';
import type { UserAgents } from './user-agents.ts';
import type { VisitorIds } from './visitor-ids.ts';

/** Not T1, which stands for Tor. */
const countryCode = /^[A-Z]{2}$/;
/** How CDNs say that they do not know. */
const unknownCountries = new Set(['XX', 'ZZ']);

/** Works out what is known of the click that a request stands for, at a moment. */
export type DetailOf = (request: IncomingMessage, atMs: number) => ClickDetail | undefined;

/** Reads who clicked from a request, by heart where it can: it is on the way of each redirect, and never throws. */
export function createClickDetails(deps: {
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
    const code = named ?? countryFile?.find(readAddress(request));
    return typeof code === 'string' && countryCode.test(code) && !unknownCountries.has(code) ? code : '';
  }

  const asksNotToBeTracked = ({ headers }: IncomingMessage) =>
    headers['sec-gpc'] === '1' || headers['dnt'] === '1';

  return (request, atMs) => {
    const { headers } = request;
    const { browser, os, device, isBot, digest } = userAgents.find(headers['user-agent'] ?? '');
    const isTracked = !(honoursDoNotTrack && asksNotToBeTracked(request));
    return {
      country: countryOf(request),
      referrer: headers.referer === undefined ? '' : referrers.findHost(headers.referer),
      browser,
      os,
      device,
      isBot,
      visitor: isTracked && visitorIds ? visitorIds.idOf(readAddress(request), digest, atMs) : '',
    };
  };
}
