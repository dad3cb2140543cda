import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { type ParsedUrl, parseUrl } from '../../validation/parse-url.ts';
import { withoutFinalDot } from './host-name.ts';
import { createOwnPlaces } from './own-hosts.ts';
import { asNetworkUrl, hasNetworkHost, intentUrls } from './reached-hosts.ts';
import { isServable } from './served-url.ts';

/** Longest URL where no setting says otherwise, and longest that a setting may allow, in characters. */
export const urlLengths = { usual: 2_048, most: 8_192 };
/** Characters before the path: no host needs more, and to read an international one takes time by the square of its length. */
const maxAuthority = 1_024;
const longAuthority = new RegExp(`^[^/\\\\?#]*:[/\\\\]*[^/\\\\?#]{${maxAuthority + 1}}`);
/** Control characters, and halves of characters. */
const unfit = /[\p{Cc}\p{Cs}]/u;

/** A URL that no short URL may lead to; the message says why, as the end of a sentence that begins with the field's name. */
export class UrlRejected extends Error {
  override readonly name = 'UrlRejected';
}

export type DestinationPolicy = ReturnType<typeof createDestinationPolicy>;

/** The rules for original URLs. `ownHosts` are this service's host names as the URL parser spells them, each with
 *  its port unless that is a default one, and with the path below which this service is, if it has one: a short URL to it would
 *  be a loop. Another port, or path, is another service. */
export function createDestinationPolicy(options: {
  ownHosts: string[];
  allowPrivate: boolean;
  /** Longest URL, in characters; `urlLengths.usual` unless it says so. */
  maxLength?: number;
  /** Schemes besides http and https. */
  schemes?: readonly string[];
  /** Whether a URL leads to a blocked host. */
  isBlocked: (url: string) => boolean;
}) {
  const { maxLength = urlLengths.usual } = options;
  const schemes = ['http', 'https', ...(options.schemes ?? [])];
  const isOwn = createOwnPlaces(options.ownHosts);

  /** Throws UrlRejected for a URL to which the short URL leads, at once or by way of an app. */
  function requireAllowed(reached: ParsedUrl): void {
    const network = asNetworkUrl(reached);
    if (network && isOwn(network, reached.pathname))
      throw new UrlRejected('must not lead back to this service');
    if (!options.allowPrivate && hasNetworkHost(reached) && isPrivateHost(withoutFinalDot(reached.hostname)))
      throw new UrlRejected('must not lead to a private, loopback or link-local address');
  }

  /** The normalised form of `text`, which is what is stored and what `Location` carries, byte for byte.
   *  Throws UrlRejected. */
  return function normaliseUrl(text: string): string {
    if (text.length > maxLength) throw new UrlRejected(`must have at most ${maxLength} characters`);
    if (unfit.test(text)) throw new UrlRejected('must not contain control characters');
    if (/^https?:/i.test(text) && longAuthority.test(text))
      throw new UrlRejected('must not have so long a host');
    const url = parseUrl(text);
    if (!url) throw new UrlRejected('must be an absolute URL, such as https://example.com/page');
    if (!schemes.includes(url.protocol.slice(0, -1)))
      throw new UrlRejected(`must begin with ${listed(schemes)}`);
    if (url.username || url.password) throw new UrlRejected('must not contain a user name or a password');
    if (url.href.length > maxLength)
      throw new UrlRejected(`must have at most ${maxLength} characters once normalised`);
    requireAllowed(url);
    for (const text of intentUrls(url)) {
      if (!isServable(text)) throw new UrlRejected('must not lead to what is not safe to follow');
      const reached = parseUrl(text);
      if (reached) requireAllowed(reached);
    }
    if (options.isBlocked(url.href)) throw new UrlRejected('must not lead there: the host is blocked');
    return url.href;
  };
}

const listed = (schemes: string[]) =>
  schemes
    .map((scheme) => (/^https?$/.test(scheme) ? `${scheme}://` : `${scheme}:`))
    .join(', ')
    .replace(/, ([^,]*)$/, ' or $1');

/** Names that only mean something inside a network. */
const privateName = /^[^.]*$|\.(localhost|local|localdomain|internal|lan|home\.arpa)$/;
/** What of IPv6 is in public use at all. */
const publicIpv6 = ipaddr.IPv6.parseCIDR('2000::/3');

/** Whether a host, as the WHATWG parser spells it, is no name or address of the public internet. The parser has turned
 *  every octal, hexadecimal or shortened IPv4 spelling into dotted decimals before. */
function isPrivateHost(host: string): boolean {
  const bare = host.startsWith('[') ? host.slice(1, -1) : host;
  if (isIP(bare) === 0) return privateName.test(host);
  const address = ipaddr.process(bare);
  if (address.range() !== 'unicast') return true;
  return address instanceof ipaddr.IPv6 && !address.match(publicIpv6);
}
