import type { Log } from '../log.ts';
import { createPoller } from '../resilience/poller.ts';
import { withDeadline } from '../resilience/shutdown.ts';
import type { ApiKeys } from './api-keys.ts';

/** How long the end waits for the last of them, which nobody misses much. */
const closeMs = 500;

export type KeyUsage = ReturnType<typeof createKeyUsage>;

/** Remembers which keys are used and writes them down together, once every `everyMs` and at the end, so that no request waits for
 *  it. What could not be written is written the next time. */
export function createKeyUsage(deps: { store: Pick<ApiKeys, 'noteUses'>; everyMs: number; log: Log }) {
  const { store, everyMs, log } = deps;
  const used = new Set<number>();

  async function write(): Promise<void> {
    if (used.size === 0) return;
    const ids = [...used];
    used.clear();
    try {
      await store.noteUses(ids);
    } catch (error) {
      for (const id of ids) used.add(id);
      throw error;
    }
  }

  const logFailure = (error: unknown) =>
    log.debug({ err: error }, 'failed to write the last use of API keys');
  const poller = createPoller({ everyMs, run: write, onFailure: logFailure });
  return {
    note: (id: number): void => void used.add(id),

    /** Writes the last of them, where PostgreSQL takes them soon. */
    async close(): Promise<void> {
      void poller.stop();
      await withDeadline(write().catch(logFailure), closeMs, () => undefined);
    },
  };
}
