import { remember } from '../../resilience/remember.ts';
import { withDeadline } from '../../resilience/shutdown.ts';

/** Deadline of a check. */
const checkDeadlineMs = 1_000;
/** How long a result is reused. */
export const rememberMs = 1_000;

export interface StoreCheck {
  status: 'up' | 'down';
  latency_ms: number;
}

/** Creates a check of a store that takes at most 1 s and queries the store at most once a second, for all concurrent callers
 *  together. It never rejects. */
export function createStoreCheck(ping: () => Promise<unknown>): () => Promise<StoreCheck> {
  async function query(): Promise<StoreCheck> {
    const start = performance.now();
    const up = await withDeadline(
      ping().then(
        () => true,
        () => false,
      ),
      checkDeadlineMs,
      () => false,
    );
    return { status: up ? 'up' : 'down', latency_ms: Math.round(performance.now() - start) };
  }

  return remember(query, rememberMs);
}
