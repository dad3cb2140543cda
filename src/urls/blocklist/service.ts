import { normaliseHost, parseHostName } from '../input/host-name.ts';
import type { BlockedHosts } from './blocklist.ts';
import type { BlockedHostStore } from './store.ts';

/** The host names that the table accepts; the same as its check constraint. */
const validHost = /^([a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:]+\])$/;
const maxLength = 253;

/** Parses a host in the normalised form in which it is blocked; undefined if it is invalid. */
export function parseBlockedHost(text: string): string | undefined {
  const host = normaliseHost(parseHostName(text) ?? '');
  return host.length <= maxLength && validHost.test(host) ? host : undefined;
}

export type HostBlocking = ReturnType<typeof createHostBlocking>;

/** Blocks and unblocks hosts: in this process at once, in all others within 2 s. */
export function createHostBlocking(deps: {
  store: BlockedHostStore;
  blockedHosts: Pick<BlockedHosts, 'refresh'>;
}) {
  const { store, blockedHosts } = deps;

  /** The change is already stored: if this refresh fails, the next poll applies it. */
  const refresh = async () => await blockedHosts.refresh().catch(() => undefined);

  return {
    list: store.list,

    /** Blocks hosts in the form of `parseBlockedHost`; resolves to the number that were not blocked before. */
    async block(hosts: string[], details: { reason: string | null; createdBy: number }): Promise<number> {
      const added = await store.add(hosts, details);
      await refresh();
      return added;
    },

    /** Unblocks a host; false if it was not blocked. */
    async unblock(host: string): Promise<boolean> {
      const wasBlocked = await store.remove(host);
      await refresh();
      return wasBlocked;
    },
  };
}
