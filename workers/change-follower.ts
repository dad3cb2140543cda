import type { Log } from '../src/log.ts';
import { isRedisUnavailable } from '../src/storage/redis/errors.ts';
import type { RefreshCache } from '../src/urls/cache/refresh.ts';
import type { NotificationListener } from '../src/urls/changes/postgres-bus.ts';

/** Codes that are brought up to date at once. */
const roundSize = 1_000;
/** Codes that may wait; where more do, the job is faster. */
const maxWaiting = 100_000;

/** Brings the cache up to date with each change that PostgreSQL tells of; what arrives while one round is under way makes the
 *  next one. Asks for the job that reconciles whatever this cannot know or do. */
export function createChangeFollower(deps: {
  refreshCache: RefreshCache;
  askForReconcile: () => void;
  log: Log;
}): NotificationListener {
  const { refreshCache, askForReconcile, log } = deps;
  const waiting = new Set<string>();
  let isRunning = false;

  async function run(): Promise<void> {
    isRunning = true;
    try {
      while (waiting.size > 0) {
        const round = [...waiting].slice(0, roundSize);
        for (const shortCode of round) waiting.delete(shortCode);
        await refreshCache(round);
      }
    } catch (error) {
      // An unreachable Redis is the connection's to report.
      const level = isRedisUnavailable(error) ? 'debug' : 'warn';
      log[level]({ err: error }, 'the cache could not follow changes; reconcile-cache will');
      waiting.clear();
      askForReconcile();
    } finally {
      isRunning = false;
    }
  }

  return {
    onChange(shortCode) {
      if (waiting.size >= maxWaiting) {
        waiting.clear();
        askForReconcile();
      }
      waiting.add(shortCode);
      if (!isRunning) void run();
    },
    onManyChanges: askForReconcile,
    // What happened before may have gone unheard.
    onConnected: askForReconcile,
  };
}
