import type { Log } from '../../log.ts';
import { createPoller } from '../../resilience/poller.ts';
import { repeatedWarningsOf } from '../../resilience/repeated-warnings.ts';
import { withDeadline } from '../../resilience/shutdown.ts';

/** How often the breaker checks Redis, and the minimum timeout of a check. */
const checkIntervalMs = 500;
const minTimeoutMs = 250;

/** Stream length from which batches linger, so that fewer, larger batches reduce the memory that Redis needs. */
const longStreamLength = 10_000;

const sourceName = 'clicks to Redis';

/** Decides whether clicks go to Redis; while it is open, the outbox writes them to PostgreSQL instead. Opens when Redis rejects a batch or does not store it in time, so that no
 *  further visitor waits, and when more than `maxWaiting` batches wait while PostgreSQL is available. Closes when a
 *  check of the stream succeeds and Redis has stored the batches it rejected before. */
export function createRedisBreaker(deps: {
  /** Reads the length of the stream. */
  readWaiting: () => Promise<number>;
  /** Sends the batches that Redis does not have; rejects when Redis rejects one. */
  resend: () => Promise<void>;
  /** Whether PostgreSQL stored or confirmed clicks in the last round. */
  isPostgresAvailable: () => boolean;
  /** Maximum time for Redis to acknowledge a batch, in milliseconds. */
  ackMs: number;
  maxWaiting: number;
  onOpen: () => void;
  onClose: () => void;
  /** The shards of a Redis Cluster fail separately. */
  shard: number;
  log: Log;
}) {
  const { readWaiting, resend, isPostgresAvailable, ackMs, maxWaiting, onOpen, onClose, shard, log } = deps;
  const timeoutMs = Math.max(minTimeoutMs, ackMs);
  let closed = true;
  let waiting: number | undefined;
  const warnings = repeatedWarningsOf(log);
  const poller = createPoller({
    everyMs: checkIntervalMs,
    run: check,
    onFailure(error) {
      waiting = undefined;
      open(error);
    },
  });

  function open(error: unknown): void {
    warnings.warn(
      sourceName,
      { err: error, shard },
      'failed to send clicks to Redis, writing them to PostgreSQL',
      shard,
    );
    if (!closed) return;
    closed = false;
    onOpen();
  }

  async function withTimeout<T>(answer: Promise<T>): Promise<T> {
    return await withDeadline(answer, timeoutMs, () => {
      throw new Error(`Redis did not answer within ${timeoutMs} ms`);
    });
  }

  async function check(): Promise<void> {
    waiting = await withTimeout(readWaiting());
    if (waiting > maxWaiting && isPostgresAvailable()) {
      open(new Error(`${waiting} batches wait in Redis for a worker`));
    } else if (!closed) {
      // A full Redis answers and stores nothing: send the old batches before sealing new ones.
      await withTimeout(resend());
      closed = true;
      onClose();
    }
  }

  return {
    /** Whether the next batch goes to Redis. */
    get closed() {
      return closed;
    },
    /** Whether batches should linger because the stream is long. */
    get isStreamLong() {
      return (waiting ?? 0) > longStreamLength;
    },
    /** Reports that Redis rejected a batch or did not store it in time. */
    open,
    /** Reports that Redis stored a batch. */
    onStored(): void {
      warnings.end(sourceName, { shard }, 'resumed sending clicks to Redis', shard);
    },
    stop: () => void poller.stop(),
  };
}
