import { URL as StandardUrl } from 'whatwg-url';

/** The parts of a URL, as the URL Standard names them. */
export type ParsedUrl = Pick<
  URL,
  | 'href'
  | 'origin'
  | 'protocol'
  | 'username'
  | 'password'
  | 'host'
  | 'hostname'
  | 'port'
  | 'pathname'
  | 'search'
  | 'hash'
>;

/** A URL that every parser reads alike: http or https, a host name in ASCII without Punycode whose last label begins with a letter,
 *  and characters that no version of the URL Standard encodes. */
const plainUrl =
  /^https?:\/\/(?![^/?#]*xn--)(?:[a-z\d_-]+\.)*[a-z][a-z\d-]*(?::\d{1,4})?(?:[/?#][\w\-.~!$&()*+,;=:@%/?#]*)?$/i;

/** A text as a URL, of `base` where it is relative; undefined where it is none. The answer is that of the URL Standard on every
 *  release of Node: the parser of Node 20 refuses hosts that the one of Node 26 accepts, and gives `https://ẞ.com` another host.
 *  The platform's parser reads only what all of them read alike, which takes a tenth of the time. */
export function parseUrl(text: string, base?: string): ParsedUrl | undefined {
  const Parser = base === undefined && plainUrl.test(text) ? URL : StandardUrl;
  try {
    return new Parser(text, base);
  } catch {
    return undefined;
  }
}
