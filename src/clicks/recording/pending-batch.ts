import { createOpenBatch } from './open-batch.ts';
import type { UnconfirmedBatch } from './unconfirmed-batches.ts';

export type PendingBatch = ReturnType<typeof createPendingBatch>;

/** A batch that is open or in transit to Redis, with the requests that wait for it. */
export function createPendingBatch(options: {
  maxEntries: number;
  /** Whether the batch lingers because the stream is long. */
  isLingering: boolean;
  /** Maximum time that requests wait. */
  ackMs: number;
  /** Called after `ackMs`, unless the batch is settled before. */
  onDeadline: () => void;
  /** Called once, before the requests continue. */
  onSettle: () => void;
}) {
  const { maxEntries, isLingering, ackMs, onDeadline, onSettle } = options;
  let isSettled = false;
  /** Called once Redis has the batch, or once the recorder no longer waits for Redis. */
  const callbacks: (() => void)[] = [];
  // setImmediate lets a delayed process read the replies of Redis before it checks the deadline.
  const deadline = setTimeout(() => setImmediate(() => isSettled || onDeadline()), ackMs);

  return {
    content: createOpenBatch(maxEntries),
    isLingering,
    /** The sealed parts. */
    sealed: [] as UnconfirmedBatch[],

    /** Calls `callback` when the batch is settled, or now. */
    whenSettled(callback: () => void): void {
      if (isSettled) callback();
      else callbacks.push(callback);
    },

    /** Lets the requests continue. */
    settle(): void {
      if (isSettled) return;
      isSettled = true;
      clearTimeout(deadline);
      onSettle();
      for (const callback of callbacks.splice(0)) callback();
    },
  };
}
