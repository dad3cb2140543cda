import { networkInterfaces } from 'node:os';

/** The address to listen on: the one of the setting or, without it, every address of the machine, those of IPv6 included where it has any. */
export function listenHost(host: string | undefined): string {
  if (host !== undefined) return host;
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return addresses.some(({ family }) => family === 'IPv6') ? '::' : '0.0.0.0';
}
