import { remember } from '../../resilience/remember.ts';
import { withDeadline } from '../../resilience/shutdown.ts';

/** Longest time that a store may take to answer a check. */
const checkDeadlineMs = 1_000;
/** How long one answer serves further requests. */
export const rememberMs = 1_000;

export interface StoreCheck {
  status: 'up' | 'down';
  latency_ms: number;
}

/** Returns a check of a store that takes at most 1 s and queries the store at most once per second, however many requests wait
 *  for the answer. It never rejects. */
export function createStoreCheck(ping: () => Promise<unknown>): () => Promise<StoreCheck> {
  async function ask(): Promise<StoreCheck> {
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

  return remember(ask, rememberMs);
}
