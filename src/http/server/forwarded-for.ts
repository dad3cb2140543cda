import type { RequestListener } from 'node:http';
import ipaddr from 'ipaddr.js';

/** Where proxies are: on the same machine or network. Anybody else may write this header to make the service look degraded. */
const nearby = new Set(['loopback', 'private', 'linkLocal', 'uniqueLocal']);

/** Answers as `handle` does, and notes whether a nearby client sends `X-Forwarded-For`, as proxies do. */
export function watchForwardedFor(handle: RequestListener) {
  let isSeen = false;
  const listener: RequestListener = (request, response) => {
    if (!isSeen && request.headers['x-forwarded-for'] !== undefined)
      isSeen = isNearby(request.socket.remoteAddress);
    handle(request, response);
  };
  return {
    listener,
    /** Whether there was such a request. */
    isSeen: (): boolean => isSeen,
  };
}

const isNearby = (address = '') => ipaddr.isValid(address) && nearby.has(ipaddr.process(address).range());
