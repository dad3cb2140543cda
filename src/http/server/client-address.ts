import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Prefix of an IPv4-mapped IPv6 address. */
const mapped = '::ffff:';

export type ReadClientAddress = ReturnType<typeof createReadClientAddress>;

/** Reads the client address of a request: the entry of `X-Forwarded-For` that the outermost trusted proxy added or, without
 *  one, the address of the connection. Entries that the client wrote itself are never used. Empty if the client has disconnected. */
export function createReadClientAddress(trustedProxyHops: number) {
  return function readClientAddress({ headers, socket }: IncomingMessage): string {
    const forwarded = headers['x-forwarded-for'] as string | undefined;
    const forwardedAddress =
      trustedProxyHops > 0 && forwarded !== undefined && parse(entryFromEnd(forwarded, trustedProxyHops));
    return forwardedAddress || normalise(socket.remoteAddress ?? '');
  };
}

/** The n-th last entry of a comma-separated list; empty if there is none. */
function entryFromEnd(list: string, n: number): string {
  let end = list.length;
  for (let passed = 1; passed < n; passed++) {
    end = list.lastIndexOf(',', end - 1);
    if (end <= 0) return '';
  }
  return list.slice(list.lastIndexOf(',', end - 1) + 1, end).trim();
}

/** Parses an address with an optional port; empty if it is invalid. */
function parse(text: string): string {
  if (isIP(text)) return normalise(text);
  const [, inBrackets, ipv4] = /^(?:\[([^\]]+)\]|([\d.]+)):\d{1,5}$/.exec(text) ?? [];
  const bare = inBrackets ?? ipv4 ?? '';
  return isIP(bare) ? normalise(bare) : '';
}

/** Converts IPv4-mapped addresses to IPv4, and IPv6 addresses to lower case without a zone. The system and the proxy are trusted to
 *  write each IPv6 address in its canonical form. */
function normalise(address: string): string {
  if (!address.includes(':')) return address;
  const bare = withoutZone(address).toLowerCase();
  if (!bare.startsWith(mapped)) return bare;
  return bare.includes('.') ? bare.slice(mapped.length) : ipaddr.process(bare).toString();
}

function withoutZone(address: string): string {
  const at = address.indexOf('%');
  return at === -1 ? address : address.slice(0, at);
}
