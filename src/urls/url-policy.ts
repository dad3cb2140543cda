import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { parseUrl } from '../parse-url.ts';
import { inOneSpelling, withoutFinalDot } from './host-name.ts';

const maxLength = 2_048;
/** Control characters, and halves of characters. */
const unfit = /[\p{Cc}\p{Cs}]/u;

/** A URL that no short URL may lead to; the message says why, as the end of a sentence that begins with the field's name. */
export class UrlRefused extends Error {
  override readonly name = 'UrlRefused';
}

export type UrlPolicy = ReturnType<typeof createUrlPolicy>;

/** The rules for original URLs. `ownHosts` are this service's host names as the URL parser spells them: a short URL to
 *  one would be a loop. */
export function createUrlPolicy(options: {
  ownHosts: string[];
  allowPrivate: boolean;
  /** Whether a URL leads to a blocked host. */
  isBlocked: (url: string) => boolean;
}) {
  const ownHosts = new Set(options.ownHosts.map(inOneSpelling));

  /** The normalised form of `text`, which is what is stored and what `Location` carries, byte for byte.
   *  Throws UrlRefused. */
  return function normaliseUrl(text: string): string {
    if (text.length > maxLength) throw new UrlRefused(`must have at most ${maxLength} characters`);
    if (unfit.test(text)) throw new UrlRefused('must not contain control characters');
    const url = parseUrl(text);
    if (!url) throw new UrlRefused('must be an absolute URL, such as https://example.com/page');
    if (url.protocol !== 'http:' && url.protocol !== 'https:')
      throw new UrlRefused('must begin with http:// or https://');
    if (url.username || url.password) throw new UrlRefused('must not contain a user name or a password');
    if (url.href.length > maxLength)
      throw new UrlRefused(`must have at most ${maxLength} characters once normalised`);
    if (ownHosts.has(inOneSpelling(url.hostname))) throw new UrlRefused('must not lead back to this service');
    if (!options.allowPrivate && isPrivateHost(withoutFinalDot(url.hostname))) {
      throw new UrlRefused('must not lead to a private, loopback or link-local address');
    }
    if (options.isBlocked(url.href)) throw new UrlRefused('must not lead there: the host is blocked');
    return url.href;
  };
}

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
