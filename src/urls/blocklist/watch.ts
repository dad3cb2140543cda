import type { Log } from '../../log.ts';
import { createPoller } from '../../resilience/poller.ts';
import type { BlockedHosts } from './blocklist.ts';

/** A host that is blocked is blocked in every process within 2 s. */
const pollEveryMs = 1_000;

/** Refreshes the blocklist of this process from PostgreSQL every second. While PostgreSQL is unavailable, the previous list is used. */
export function watchBlockedHosts(list: Pick<BlockedHosts, 'refresh'>, log: Log) {
  const poller = createPoller({
    everyMs: pollEveryMs,
    run: async () => await list.refresh(),
    onFailure(error, failures) {
      if (failures === 1) log.warn({ err: error }, 'failed to refresh blocklist, keeping previous list');
    },
  });
  return { look: poller.poll, stop: () => void poller.stop() };
}
