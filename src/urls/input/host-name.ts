import ipaddr from 'ipaddr.js';
import { parseUrl } from '../../validation/parse-url.ts';

/** Two spellings of one host: the network knows no difference. */
export function withoutFinalDot(host: string): string {
  let end = host.length;
  while (host[end - 1] === '.') end -= 1;
  return host.slice(0, end);
}

/** Addresses of IPv6 whose last 32 bits are the address of IPv4 that they stand for: the network knows no difference either. */
const embeddings = ['::ffff:0:0/96', '64:ff9b::/96'].map((range) => ipaddr.IPv6.parseCIDR(range));

/** A host as the URL parser spells it, in the one spelling in which hosts are compared. */
export function inOneSpelling(host: string): string {
  const bare = host.slice(1, -1);
  if (!host.startsWith('[') || !ipaddr.IPv6.isValid(bare)) return withoutFinalDot(host);
  const address = ipaddr.IPv6.parse(bare);
  if (!embeddings.some((range) => address.match(range))) return host;
  return address.toByteArray().slice(12).join('.');
}

/** A host that somebody names, without a port, as the URL parser spells it, to which `UPPER.example` and `bücher.example` are
 *  other spellings; undefined where it is none. */
export function readHostName(text: string): string | undefined {
  if (!/^(\[[^\]]*\]|[^:/\\?#@[\]]+)$/.test(text)) return undefined;
  return parseUrl(`http://${text}`)?.hostname;
}
