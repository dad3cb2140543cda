import { createHmac, randomBytes } from 'node:crypto';
import ipaddr from 'ipaddr.js';
import type { Log } from '../log.ts';

/** The network of a client: an IPv6 client usually has a whole /64. */
function networkOf(address: string): string {
  if (!ipaddr.IPv6.isValid(address)) return address;
  return ipaddr.IPv6.parse(address).parts.slice(0, 4).join(':');
}

/** A keyed hash of the network of an address, which cannot be reversed without the secret. */
export const networkHashOf = (secret: Buffer | string, address: string) =>
  createHmac('sha256', secret).update(networkOf(address)).digest('base64url').slice(0, 22);

export type HashNetwork = ReturnType<typeof createNetworkHasher>;

/** Hashes the networks of addresses with a secret that all processes share. Until the secret is loaded, a process uses its own. */
export function createNetworkHasher(loadSecret: () => Promise<Buffer>, log: Log) {
  let secret: Buffer = randomBytes(32);
  let needsLoad = true;

  function load(): void {
    needsLoad = false;
    loadSecret().then(
      (loaded) => (secret = loaded),
      (error: unknown) => {
        log.debug({ err: error }, 'failed to load the secret of network hashes');
        needsLoad = true;
      },
    );
  }
  load();

  return function hashNetwork(address: string): string {
    if (needsLoad) load();
    return networkHashOf(secret, address);
  };
}
