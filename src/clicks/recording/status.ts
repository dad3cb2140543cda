import type { Log } from '../../log.ts';
import type { ClickStream } from '../stream/stream.ts';
import type { ClickRecorder } from './recorder.ts';

/** Clicks on their way. */
export interface ClickState {
  /** Clicks that this process has recorded. */
  recorded: number;
  /** Those of them that found no room while both stores were away, and will never be counted. */
  dropped: number;
  /** Those of them of which this process has learnt that PostgreSQL has them. */
  confirmed: number;
  /** Batches of this process that PostgreSQL is not known to have. */
  unconfirmed: number;
  /** Whether this process hands its clicks to Redis now. */
  toRedis: boolean;
  /** Batches of all processes that wait in Redis; undefined while that is away. */
  waiting: number | undefined;
  /** How long the oldest batch that is known of has been on its way to PostgreSQL. */
  lagMs: number;
  /** Whether clicks wait longer, or more of them, than they should. */
  isPastLimit: boolean;
}

export type ClickWatch = ReturnType<typeof createClickWatch>;

/** Tells how clicks are on their way, in this process and in Redis. */
export function createClickWatch(deps: {
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
      log.debug({ err: error }, 'how many clicks wait in Redis could not be read');
      return undefined;
    }
  }

  return {
    async read(): Promise<ClickState> {
      const inRedis = await readRedis();
      const { oldestMs, ...ours } = recorder.read();
      const lagMs = Math.max(oldestMs, inRedis?.oldestMs ?? 0);
      const waiting = inRedis?.waiting;
      return { ...ours, waiting, lagMs, isPastLimit: lagMs > maxLagMs || (waiting ?? 0) > maxWaiting };
    },
  };
}
