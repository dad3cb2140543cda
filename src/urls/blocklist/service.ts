import { inOneSpelling, readHostName } from '../input/host-name.ts';
import type { BlockedHosts } from './blocklist.ts';
import type { BlockedHostStore } from './store.ts';

/** What of host names can be in the table, as its constraint says. */
const blockable = /^([a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:]+\])$/;
const maxLength = 253;

/** A host that somebody names, in the one spelling in which it is blocked; undefined where it is none. */
export function readBlockedHost(text: string): string | undefined {
  const host = inOneSpelling(readHostName(text) ?? '');
  return host.length <= maxLength && blockable.test(host) ? host : undefined;
}

export type HostBlocking = ReturnType<typeof createHostBlocking>;

/** How hosts come to be blocked, and to be blocked no longer: on this process at once, on all others within 2 s. */
export function createHostBlocking(deps: {
  store: BlockedHostStore;
  blockedHosts: Pick<BlockedHosts, 'refresh'>;
}) {
  const { store, blockedHosts } = deps;

  /** What is done is done: where the list cannot be read now, it is in a second. */
  const refresh = async () => await blockedHosts.refresh().catch(() => undefined);

  return {
    list: store.list,

    /** Blocks hosts, in the spelling of `readBlockedHost`; resolves to how many of them were not blocked yet. */
    async block(hosts: string[], more: { reason: string | null; createdBy: number }): Promise<number> {
      const added = await store.add(hosts, more);
      await refresh();
      return added;
    },

    /** Blocks a host no longer; false where it was not blocked. */
    async unblock(host: string): Promise<boolean> {
      const wasBlocked = await store.remove(host);
      await refresh();
      return wasBlocked;
    },
  };
}
