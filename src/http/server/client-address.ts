import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** How IPv6 spells an IPv4 address. */
const mapped = '::ffff:';

export type ReadClientAddress = ReturnType<typeof createReadClientAddress>;

/** Tells the address that a request comes from: that of the connection or, behind proxies that each add one to
 *  `X-Forwarded-For`, the one that the outermost of them added. What a client writes into that header itself is never believed;
 *  where there is no address at that place, the connection's counts. Empty when the client is gone. */
export function createReadClientAddress(trustedProxyHops: number) {
  return function readClientAddress({ headers, socket }: IncomingMessage): string {
    const forwarded = headers['x-forwarded-for'] as string | undefined;
    const fromProxy =
      trustedProxyHops > 0 && forwarded !== undefined && parse(fromTheRight(forwarded, trustedProxyHops));
    return fromProxy || normalise(socket.remoteAddress ?? '');
  };
}

/** An entry of a list, the last one being the first; empty where there is none. */
function fromTheRight(list: string, place: number): string {
  let end = list.length;
  for (let passed = 1; passed < place; passed++) {
    end = list.lastIndexOf(',', end - 1);
    if (end <= 0) return '';
  }
  return list.slice(list.lastIndexOf(',', end - 1) + 1, end).trim();
}

/** An address with or without a port; empty when it is none. */
function parse(text: string): string {
  if (isIP(text)) return normalise(text);
  const [, inBrackets, ipv4] = /^(?:\[([^\]]+)\]|([\d.]+)):\d{1,5}$/.exec(text) ?? [];
  const bare = inBrackets ?? ipv4 ?? '';
  return isIP(bare) ? normalise(bare) : '';
}

/** An IPv4 address in its own spelling where IPv6 stands for it, an IPv6 address in lower case and without a zone. That each comes
 *  in one spelling otherwise is left to the system and to the proxy. */
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
