import { isIP } from 'node:net';
import { type ParsedUrl, parseUrl } from '../../validation/parse-url.ts';
import { hasControlCharacters } from '../../validation/text.ts';
import { withoutTrailingDot } from './host-name.ts';
import { createOwnHostCheck } from './own-hosts.ts';
import { isPublicAddress } from './public-address.ts';
import { asNetworkUrl, hasNetworkHost, intentUrls } from './reached-hosts.ts';
import { isServable } from './served-url.ts';

/** The default and the highest configurable length of URLs, in characters. */
export const urlLengths = { usual: 2_048, most: 8_192 };
/** Characters before the path. No host needs more, and parsing an international one takes quadratic time. */
const maxAuthority = 1_024;
const longAuthority = new RegExp(`^[^/\\\\?#]*:[/\\\\]*[^/\\\\?#]{${maxAuthority + 1}}`);

/** A URL violates the destination policy; the message completes a sentence that begins with the field's name. */
export class UrlRejected extends Error {
  override readonly name = 'UrlRejected';
}

export type DestinationPolicy = ReturnType<typeof createDestinationPolicy>;

/** Creates the validation of original URLs. `ownHosts` are this service's hosts in the URL parser's spelling, each
 *  with its port unless that is a default one and with its base path, if any. Short URLs to them would loop. Other
 *  ports and paths are other services. */
export function createDestinationPolicy(options: {
  ownHosts: string[];
  allowPrivate: boolean;
  /** Maximum length in characters; `urlLengths.usual` by default. */
  maxLength?: number;
  /** Schemes in addition to http and https. */
  schemes?: readonly string[];
  /** Whether a URL leads to a blocked host. */
  isBlocked: (url: string) => boolean;
}) {
  const { maxLength = urlLengths.usual } = options;
  const schemes = ['http', 'https', ...(options.schemes ?? [])];
  const isOwn = createOwnHostCheck(options.ownHosts);

  /** Throws UrlRejected if a URL that the short URL leads to, directly or through an app, is not allowed. */
  function requireAllowed(reached: ParsedUrl): void {
    const network = asNetworkUrl(reached);
    if (network && isOwn(network, reached.pathname))
      throw new UrlRejected('must not lead back to this service');
    if (
      !options.allowPrivate &&
      hasNetworkHost(reached) &&
      isPrivateHost(withoutTrailingDot(reached.hostname))
    )
      throw new UrlRejected('must not lead to a private, loopback or link-local address');
  }

  /** Returns the normalised URL, which is stored and sent as `Location` byte for byte. Throws UrlRejected. */
  return function normaliseUrl(text: string): string {
    if (text.length > maxLength) throw new UrlRejected(`must have at most ${maxLength} characters`);
    if (hasControlCharacters(text)) throw new UrlRejected('must not contain control characters');
    if (/^https?:/i.test(text) && longAuthority.test(text)) throw new UrlRejected('must have a shorter host');
    const url = parseUrl(text);
    if (!url) throw new UrlRejected('must be an absolute URL, such as https://example.com/page');
    if (!schemes.includes(url.protocol.slice(0, -1)))
      throw new UrlRejected(`must begin with ${listOf(schemes)}`);
    if (url.username || url.password) throw new UrlRejected('must not contain a user name or password');
    if (url.href.length > maxLength)
      throw new UrlRejected(`must have at most ${maxLength} characters after normalisation`);
    requireAllowed(url);
    for (const text of intentUrls(url)) {
      if (!isServable(text)) throw new UrlRejected('must not lead to an unsafe URL');
      const reached = parseUrl(text);
      if (reached) requireAllowed(reached);
    }
    if (options.isBlocked(url.href)) throw new UrlRejected('must not lead to a blocked host');
    return url.href;
  };
}

const listOf = (schemes: string[]) =>
  schemes
    .map((scheme) => (/^https?$/.test(scheme) ? `${scheme}://` : `${scheme}:`))
    .join(', ')
    .replace(/, ([^,]*)$/, ' or $1');

/** Names that are only valid inside a network. */
const privateName = /^[^.]*$|\.(localhost|local|localdomain|internal|lan|home\.arpa)$/;

/** Whether a host in the WHATWG parser's spelling is no public name or address. The parser has already converted
 *  octal, hexadecimal and shortened IPv4 addresses to dotted decimals. */
function isPrivateHost(host: string): boolean {
  const bare = host.startsWith('[') ? host.slice(1, -1) : host;
  return isIP(bare) === 0 ? privateName.test(host) : !isPublicAddress(bare);
}
