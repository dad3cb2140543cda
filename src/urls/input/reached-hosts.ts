import { type ParsedUrl, parseUrl } from '../../validation/parse-url.ts';
import { inOneSpelling } from './host-name.ts';

/** Base of what another program stored that is no absolute URL: a browser would ask this service for it. */
const anyBase = 'http://linkmill.invalid';

const specialSchemes = new Set(['http:', 'https:', 'ftp:', 'ws:', 'wss:']);

/** Whether the URL parser gives the host of such a URL the form of a network name. */
export const hasNetworkHost = ({ protocol }: ParsedUrl): boolean => specialSchemes.has(protocol);

/** A URL of any scheme as one whose host has the form of a network name: other schemes keep it as it was written. Undefined where
 *  it has no host that could be one. */
export function asNetworkUrl(url: ParsedUrl): ParsedUrl | undefined {
  if (hasNetworkHost(url)) return url;
  return url.host === '' ? undefined : parseUrl(`http://${decode(url.host)}`);
}

/** The hosts that a browser might go to, in the one spelling in which hosts are compared: that of the URL, and those that an `intent:`
 *  URL names for its app or where there is no app. Empty where it goes to no host. */
export function reachedHosts(url: string): string[] {
  const parsed = parseUrl(url, anyBase);
  if (!parsed) return [];
  const network = asNetworkUrl(parsed);
  const own = network ? [inOneSpelling(network.hostname)] : [];
  return [...own, ...intentUrls(parsed).flatMap(reachedHosts)];
}

/** Where else an `intent:` URL leads: with the scheme that it names, and to its fallback. */
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
