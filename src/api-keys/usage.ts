import type { Log } from '../log.ts';
import { createPoller } from '../resilience/poller.ts';
import { withDeadline } from '../resilience/shutdown.ts';

/** Time limit of the last write: a lost minute of `last_used_at` is harmless. */
const closeMs = 500;

export type Usage = ReturnType<typeof createUsage>;

/** Collects the IDs of used API keys or sessions, and writes them every `everyMs` and on close, so that no request waits for it. A failed
 *  write is retried with the next one. */
export function createUsage(deps: {
  store: { recordUsage: (ids: number[]) => Promise<void> };
  /** What the IDs belong to, for the log. */
  of: 'API keys' | 'sessions';
  everyMs: number;
  log: Log;
}) {
  const { store, everyMs, log } = deps;
  const used = new Set<number>();

  async function write(): Promise<void> {
    if (used.size === 0) return;
    const ids = [...used];
    used.clear();
    try {
      await store.recordUsage(ids);
    } catch (error) {
      for (const id of ids) used.add(id);
      throw error;
    }
  }

  const logFailure = (error: unknown) => log.debug({ err: error, of: deps.of }, 'failed to record usage');
  const poller = createPoller({ everyMs, run: write, onFailure: logFailure });
  return {
    add: (id: number): void => void used.add(id),

    /** Writes the remaining IDs, within `closeMs`. */
    async close(): Promise<void> {
      void poller.stop();
      await withDeadline(write().catch(logFailure), closeMs, () => undefined);
    },
  };
}
