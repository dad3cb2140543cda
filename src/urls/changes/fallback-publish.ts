import type { Log } from '../../log.ts';
import { createBatchWriter } from '../../resilience/batch-writer.ts';
import type { ChangeStore } from './change-log.ts';
import type { UrlChange } from './change.ts';

/** Changes that one call tells of at most. */
const maxChanges = 150;

/** Sees to changes that Redis could not be told of: tells every process over PostgreSQL, so that they distrust what Redis still
 *  has, and asks for its repair. Resolves when they are told; what does not work is logged, and the scheduled repair is left. */
export function createFallbackPublisher(deps: {
  changes: Pick<ChangeStore, 'notify'>;
  askForRepair: () => void;
  log: Log;
}): (change: UrlChange) => Promise<void> {
  const { changes, askForRepair, log } = deps;
  const notify = createBatchWriter({
    run: async (told: UrlChange[]) => {
      await changes.notify(told);
      return told;
    },
    isForAll: () => true,
    limit: maxChanges,
  });

  return async (change) => {
    askForRepair();
    try {
      await notify(change);
    } catch (error) {
      log.warn({ err: error, shortCode: change.shortCode }, 'a change could not be told to other processes');
    }
  };
}
