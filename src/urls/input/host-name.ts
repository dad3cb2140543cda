import ipaddr from 'ipaddr.js';
import { parseUrl } from '../../validation/parse-url.ts';

/** Removes trailing dots, which do not change the host. */
export function withoutTrailingDot(host: string): string {
  let end = host.length;
  while (host[end - 1] === '.') end -= 1;
  return host.slice(0, end);
}

/** IPv6 prefixes whose last 32 bits contain an equivalent IPv4 address (RFC 4291 2.5.5.2, RFC 6052). */
const ipv4Embeddings = ['::ffff:0:0/96', '64:ff9b::/96'].map((range) => ipaddr.IPv6.parseCIDR(range));

/** Normalises a host in the URL parser's spelling so that equal hosts compare equal. */
export function normaliseHost(host: string): string {
  const bare = host.slice(1, -1);
  if (!host.startsWith('[') || !ipaddr.IPv6.isValid(bare)) return withoutTrailingDot(host);
  const address = ipaddr.IPv6.parse(bare);
  if (!ipv4Embeddings.some((range) => address.match(range))) return host;
  return address.toByteArray().slice(12).join('.');
}

/** Parses a host name without a port into the URL parser's spelling, for example `UPPER.example` or `bücher.example`.
 *  Undefined if it is invalid. */
export function parseHostName(text: string): string | undefined {
  if (!/^(\[[^\]]*\]|[^:/\\?#@[\]]+)$/.test(text)) return undefined;
  return parseUrl(`http://${text}`)?.hostname;
}
