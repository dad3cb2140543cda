import type { Log } from '../../log.ts';
import { createPoller } from '../../resilience/poller.ts';
import { repeatedWarningsOf } from '../../resilience/repeated-warnings.ts';
import { withDeadline } from '../../resilience/shutdown.ts';

/** How often the breaker checks whether Redis takes clicks, and how long it waits for the answer at least. */
const lookEveryMs = 500;
const leastPatienceMs = 250;

/** Batches that wait in a stream from which on batches are widened, because Redis has to keep them for long. */
const longStream = 10_000;

const sourceName = 'clicks to Redis';

/** Decides whether clicks go to Redis. It opens when Redis refuses a batch or does not take it in time, so
 *  that no further visitor waits, and when more than `maxWaiting` batches wait that PostgreSQL could take; it closes as soon
 *  as a look at the stream says otherwise, and Redis has taken what it did not take before. */
export function createClickBreaker(deps: {
  /** Batches that wait in the stream. */
  readWaiting: () => Promise<number>;
  /** Gives Redis what it did not take before; rejects when it does not take that now. */
  sendAgain: () => Promise<void>;
  /** Whether PostgreSQL took or confirmed clicks when it was last asked. */
  postgresAnswers: () => boolean;
  /** Longest time that Redis may take to acknowledge a batch, in milliseconds. */
  ackMs: number;
  maxWaiting: number;
  onOpen: () => void;
  onClose: () => void;
  log: Log;
}) {
  const { readWaiting, sendAgain, postgresAnswers, ackMs, maxWaiting, onOpen, onClose, log } = deps;
  const patienceMs = Math.max(leastPatienceMs, ackMs);
  let closed = true;
  let waiting: number | undefined;
  const warnings = repeatedWarningsOf(log);
  const poller = createPoller({
    everyMs: lookEveryMs,
    run: look,
    onFailure(error) {
      waiting = undefined;
      open(error);
    },
  });

  function open(error: unknown): void {
    warnings.warn(sourceName, { err: error }, 'clicks do not go to Redis: they go straight to PostgreSQL');
    if (!closed) return;
    closed = false;
    onOpen();
  }

  async function inTime<T>(answer: Promise<T>): Promise<T> {
    return await withDeadline(answer, patienceMs, () => {
      throw new Error(`Redis did not answer within ${patienceMs} ms`);
    });
  }

  async function look(): Promise<void> {
    waiting = await inTime(readWaiting());
    if (waiting > maxWaiting && postgresAnswers()) {
      open(new Error(`${waiting} batches wait in Redis for a worker`));
    } else if (!closed) {
      // A Redis without room answers and takes nothing: no further batch is sealed for it.
      await inTime(sendAgain());
      closed = true;
      onClose();
    }
  }

  return {
    /** Whether the next batch may go to Redis. */
    get closed() {
      return closed;
    },
    /** Whether so many batches wait that they had better be wide. */
    get isStreamLong() {
      return (waiting ?? 0) > longStream;
    },
    /** Says that Redis refused a batch, or keeps one waiting. */
    open,
    /** Says that Redis took a batch. */
    onTaken(): void {
      warnings.end(sourceName, {}, 'Redis takes clicks again');
    },
    stop: () => void poller.stop(),
  };
}
