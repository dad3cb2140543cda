import type { Log } from '../src/log.ts';
import { isRedisUnavailable } from '../src/storage/redis/errors.ts';
import type { RefreshCache } from '../src/urls/cache/refresh.ts';
import type { NotificationListener } from '../src/urls/changes/postgres-bus.ts';

/** Codes that are refreshed at once. */
const batchSize = 1_000;
/** Most codes that wait; beyond that, the reconciliation job is faster. */
const maxWaiting = 100_000;

/** Refreshes the cache for each external write that PostgreSQL notifies. Changes that arrive during a refresh form the next batch. Requests
 *  the reconciliation job for missed notifications and failed refreshes. */
export function createChangeFollower(deps: {
  refreshCache: RefreshCache;
  requestReconciliation: () => void;
  log: Log;
}): Omit<NotificationListener, 'onDisconnected'> {
  const { refreshCache, requestReconciliation, log } = deps;
  const waiting = new Set<string>();
  let isRunning = false;

  async function run(): Promise<void> {
    isRunning = true;
    try {
      while (waiting.size > 0) {
        const batch = [...waiting].slice(0, batchSize);
        for (const shortCode of batch) waiting.delete(shortCode);
        await refreshCache(batch);
      }
    } catch (error) {
      // The connection reports an unavailable Redis.
      const level = isRedisUnavailable(error) ? 'debug' : 'warn';
      log[level](
        { err: error },
        'failed to refresh the cache after external writes, requesting reconcile-cache',
      );
      waiting.clear();
      requestReconciliation();
    } finally {
      isRunning = false;
    }
  }

  return {
    onChange(shortCode) {
      if (waiting.size >= maxWaiting) {
        waiting.clear();
        requestReconciliation();
      }
      waiting.add(shortCode);
      if (!isRunning) void run();
    },
    onManyChanges: requestReconciliation,
    // Notifications before the connection may have been missed.
    onConnected: requestReconciliation,
  };
}
