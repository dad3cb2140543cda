import { createHmac, randomBytes } from 'node:crypto';
import ipaddr from 'ipaddr.js';
import type { Log } from '../log.ts';

/** Whoever has one address of IPv6 has all of its /64. */
function networkOf(address: string): string {
  if (!ipaddr.IPv6.isValid(address)) return address;
  return ipaddr.IPv6.parse(address).parts.slice(0, 4).join(':');
}

/** What stands for the network of an address, and from which no address can be told without the secret. */
export const nameOfNetwork = (secret: Buffer | string, address: string) =>
  createHmac('sha256', secret).update(networkOf(address)).digest('base64url').slice(0, 22);

export type NameNetwork = ReturnType<typeof createNetworkNames>;

/** Gives the networks of addresses names that all processes use alike. Until their secret is known a process gives names of its
 *  own. */
export function createNetworkNames(loadSecret: () => Promise<Buffer>, log: Log) {
  let secret: Buffer = randomBytes(32);
  let isWanted = true;

  function load(): void {
    isWanted = false;
    loadSecret().then(
      (loaded) => (secret = loaded),
      (error: unknown) => {
        log.debug({ err: error }, 'the secret of the names of networks could not be loaded');
        isWanted = true;
      },
    );
  }
  load();

  return function nameNetwork(address: string): string {
    if (isWanted) load();
    return nameOfNetwork(secret, address);
  };
}
