import { type ParsedUrl, parseUrl } from '../../validation/parse-url.ts';
import { normaliseHost } from './host-name.ts';

/** The base for stored texts that are no absolute URLs: a browser would resolve them against this service. */
const anyBase = 'http://linkmill.invalid';

const specialSchemes = new Set(['http:', 'https:', 'ftp:', 'ws:', 'wss:']);

/** Whether the URL parser normalises the hosts of this scheme as network names. */
export const hasNetworkHost = ({ protocol }: ParsedUrl): boolean => specialSchemes.has(protocol);

/** Converts a URL of any scheme to one whose host is normalised as a network name. Undefined if it has no such host. */
export function asNetworkUrl(url: ParsedUrl): ParsedUrl | undefined {
  if (hasNetworkHost(url)) return url;
  return url.host === '' ? undefined : parseUrl(`http://${decode(url.host)}`);
}

/** The normalised hosts that a browser may contact: the URL's own host, and those that an `intent:` URL names for its
 *  app or as a fallback. */
export function reachedHosts(url: string): string[] {
  const parsed = parseUrl(url, anyBase);
  if (!parsed) return [];
  const network = asNetworkUrl(parsed);
  const own = network ? [normaliseHost(network.hostname)] : [];
  return [...own, ...intentUrls(parsed).flatMap(reachedHosts)];
}

/** The other targets of an `intent:` URL: the one with its scheme, and its fallback. */
export function intentUrls({ protocol, href, hash }: ParsedUrl): string[] {
  if (protocol !== 'intent:' || !/^#Intent;/i.test(hash)) return [];
  const extras = new Map(
    hash.split(';').map((extra) => [extra.slice(0, extra.indexOf('=')), extra.slice(extra.indexOf('=') + 1)]),
  );
  const scheme = extras.get('scheme');
  const fallback = extras.get('S.browser_fallback_url');
  const target = href.slice('intent:'.length, href.length - hash.length);
  return [
    ...(scheme === undefined ? [] : [`${decode(scheme)}:${target}`]),
    ...(fallback === undefined ? [] : [decode(fallback)]),
  ];
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
