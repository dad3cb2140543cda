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

/** A URL that all parsers agree on: http or https, an ASCII host name without Punycode whose last label begins with a letter, and characters
 *  that no version of the URL Standard encodes. */
const plainUrl =
  /^https?:\/\/(?![^/?#]*xn--)(?:[a-z\d_-]+\.)*[a-z][a-z\d-]*(?::\d{1,4})?(?:[/?#][\w\-.~!$&()*+,;=:@%/?#]*)?$/i;

/** Parses a URL, relative to `base` if given; undefined when it is invalid. The result follows the URL Standard on every release of Node.js:
 *  Node 20 rejects hosts that Node 26 accepts, and gives `https://ẞ.com` another host. The parser of the platform, which takes a tenth of the
 *  time, is used for URLs that all parsers agree on. */
export function parseUrl(text: string, base?: string): ParsedUrl | undefined {
  const Parser = base === undefined && plainUrl.test(text) ? URL : StandardUrl;
  try {
    return new Parser(text, base);
  } catch {
    return undefined;
  }
}
