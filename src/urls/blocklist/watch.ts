import type { Log } from '../../log.ts';
import { createPoller } from '../../resilience/poller.ts';
import type { BlockedHosts } from './blocklist.ts';

/** A host that is blocked is blocked in every process within 2 s. */
const pollEveryMs = 1_000;

/** Refreshes the blocklist from PostgreSQL every second; keeps the previous list while PostgreSQL is unavailable. */
export function watchBlockedHosts(list: Pick<BlockedHosts, 'refresh'>, log: Log) {
  const poller = createPoller({
    everyMs: pollEveryMs,
    run: async () => await list.refresh(),
    onFailure(error, failures) {
      if (failures === 1) log.warn({ err: error }, 'failed to refresh blocklist, keeping previous list');
    },
  });
  return { poll: poller.poll, stop: () => void poller.stop() };
}
