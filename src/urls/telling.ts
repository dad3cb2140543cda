import type { Log } from '../log.ts';
import type { ProcessCache } from './process-cache.ts';
import type { UrlChange } from './url-change.ts';

export type Tell = ReturnType<typeof createTelling>;

/** Lets everybody know of a change that is in the table: this process at once, then Redis and those who hear of it there, by
 *  `operation`; or those who would not hear of it from Redis. Never rejects for a cache that does not answer. */
export function createTelling(deps: {
  processCache: Pick<ProcessCache, 'invalidate'>;
  /** Tells those who can be told without Redis of a change that Redis could not be told of. */
  onUntold: (change: UrlChange) => Promise<void>;
  log: Log;
}) {
  const { processCache, onUntold, log } = deps;

  return async function tell(
    { shortCode, version }: UrlChange,
    operation: () => Promise<void>,
  ): Promise<void> {
    processCache.invalidate(shortCode, version);
    try {
      await operation();
    } catch (error) {
      log.debug({ err: error, shortCode }, 'the cache could not be told of a change');
      await onUntold({ shortCode, version });
    }
  };
}
