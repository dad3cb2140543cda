import type { Log } from '../../log.ts';
import { createBatchWriter } from '../../resilience/batch-writer.ts';
import type { ChangeLog } from './change-log.ts';
import type { UrlChange } from './change.ts';

/** Changes per statement, at most. */
const maxChanges = 150;

/** Publishes changes over PostgreSQL when Redis cannot be reached, so that other processes stop trusting the Redis
 *  cache, and requests its repair. Resolves when they are published. A failure is logged; the scheduled repair then
 *  covers it. */
export function createFallbackPublisher(deps: {
  changes: Pick<ChangeLog, 'notify'>;
  requestRepair: () => void;
  log: Log;
}): (change: UrlChange) => Promise<void> {
  const { changes, requestRepair, log } = deps;
  const notify = createBatchWriter({
    run: async (batch: UrlChange[]) => {
      await changes.notify(batch);
      return batch;
    },
    isForAll: () => true,
    limit: maxChanges,
  });

  return async (change) => {
    requestRepair();
    try {
      await notify(change);
    } catch (error) {
      log.warn({ err: error, shortCode: change.shortCode }, 'failed to publish change to other processes');
    }
  };
}
