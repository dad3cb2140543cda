import { networkInterfaces } from 'node:os';

/** The address to listen on: `HOST`, or all IPv4 addresses of the machine and, if it has any, all IPv6 addresses. */
export function listenHost(host: string | undefined): string {
  if (host !== undefined) return host;
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return addresses.some(({ family }) => family === 'IPv6') ? '::' : '0.0.0.0';
}
