import type { Log } from '../../log.ts';
import type { ClickStream } from '../stream/stream.ts';
import type { ClickRecorder } from './recorder.ts';

/** Status of clicks that are not in PostgreSQL yet. */
export interface ClickStatus {
  /** Clicks that this process has recorded. */
  recorded: number;
  /** Clicks that were dropped because both stores were unavailable and memory was full; they are never counted. */
  dropped: number;
  /** Clicks that are confirmed to be in PostgreSQL. */
  confirmed: number;
  /** Batches of this process that are not confirmed to be in PostgreSQL. */
  unconfirmed: number;
  /** Whether this process sends its clicks to Redis. */
  usesRedis: boolean;
  /** Batches of all processes in Redis; undefined while Redis is unavailable. */
  waiting: number | undefined;
  /** Age of the oldest batch that is not in PostgreSQL yet. */
  lagMs: number;
  /** The limit of this age. */
  maxLagMs: number;
  /** Whether the age or the number of waiting batches exceeds its limit. */
  isPastLimit: boolean;
}

export type ClickStatusReader = ReturnType<typeof createClickStatusReader>;

/** Reads the status of clicks in this process and in Redis. */
export function createClickStatusReader(deps: {
  recorder: Pick<ClickRecorder, 'read'>;
  stream: Pick<ClickStream, 'readAll'>;
  maxLagMs: number;
  maxWaiting: number;
  log: Log;
}) {
  const { recorder, stream, maxLagMs, maxWaiting, log } = deps;

  async function readRedis() {
    try {
      return await stream.readAll();
    } catch (error) {
      log.debug({ err: error }, 'failed to read waiting clicks from Redis');
      return undefined;
    }
  }

  return {
    async read(): Promise<ClickStatus> {
      const inRedis = await readRedis();
      const { oldestMs, ...own } = recorder.read();
      const lagMs = Math.max(oldestMs, inRedis?.oldestMs ?? 0);
      const waiting = inRedis?.waiting;
      const isPastLimit = lagMs > maxLagMs || (waiting ?? 0) > maxWaiting;
      return { ...own, waiting, lagMs, maxLagMs, isPastLimit };
    },
  };
}
