import ipaddr from 'ipaddr.js';

/** The part of IPv6 that is publicly routed. */
const publicIpv6 = ipaddr.IPv6.parseCIDR('2000::/3');

/** Whether an IP address is publicly routed: not private, loopback, link-local, multicast or reserved. An IPv4-mapped address counts as the
 *  IPv4 address. */
export function isPublicAddress(text: string): boolean {
  const address = ipaddr.process(text);
  if (address.range() !== 'unicast') return false;
  return address instanceof ipaddr.IPv4 || address.match(publicIpv6);
}
