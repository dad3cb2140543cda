import type { ClickDetail } from '../click-detail.ts';
import type { ClickRecorder } from './recorder.ts';

/** The current and final counts of a recorder. */
export type RecorderCounts = ReturnType<ClickRecorder['read']>;

/** Records the clicks of each short URL in one shard, the same in every web process: workers that flush different shards change no row
 *  in common, so none waits for the locks of another. Each shard has a recorder with its own producer, batches and circuit breaker. */
export function createShardedRecorder(
  shards: number,
  createRecorder: (shard: number) => ClickRecorder,
): ClickRecorder {
  const recorders = Array.from({ length: shards }, (_, shard) => createRecorder(shard));
  const recorderOf = (urlId: number) => recorders[urlId % shards]!;

  return {
    recordThen: (urlId: number, atMs: number, onRecorded: () => void, detail?: ClickDetail) =>
      recorderOf(urlId).recordThen(urlId, atMs, onRecorded, detail),

    record: async (urlId: number, atMs: number, detail?: ClickDetail) =>
      await recorderOf(urlId).record(urlId, atMs, detail),

    reportAgain(): void {
      for (const recorder of recorders) recorder.reportAgain();
    },

    read: () => addCounts(recorders.map((recorder) => recorder.read())),

    async drain(): Promise<void> {
      await Promise.all(recorders.map(async (recorder) => await recorder.drain()));
    },
  };
}

/** Adds up the counts of several recorders. */
export function addCounts(all: RecorderCounts[]): RecorderCounts {
  const sum = (pick: (counts: RecorderCounts) => number) =>
    all.reduce((total, counts) => total + pick(counts), 0);
  return {
    recorded: sum(({ recorded }) => recorded),
    dropped: sum(({ dropped }) => dropped),
    confirmed: sum(({ confirmed }) => confirmed),
    unconfirmed: sum(({ unconfirmed }) => unconfirmed),
    oldestMs: Math.max(...all.map(({ oldestMs }) => oldestMs)),
    usesRedis: all.every(({ usesRedis }) => usesRedis),
  };
}
