import type { RequestListener } from 'node:http';
import ipaddr from 'ipaddr.js';

/** Address ranges of proxies: the same machine or network. Other clients could send the header to make the service look degraded. */
const proxyRanges = new Set(['loopback', 'private', 'linkLocal', 'uniqueLocal']);

/** Detects requests with `X-Forwarded-For` from a nearby address, which indicate a proxy. */
export function watchForwardedFor(next: RequestListener) {
  let isSeen = false;
  const listener: RequestListener = (request, response) => {
    if (!isSeen && request.headers['x-forwarded-for'] !== undefined)
      isSeen = isNearby(request.socket.remoteAddress);
    next(request, response);
  };
  return {
    listener,
    /** Whether such a request was received. */
    isSeen: (): boolean => isSeen,
  };
}

const isNearby = (address = '') =>
  ipaddr.isValid(address) && proxyRanges.has(ipaddr.process(address).range());
