import type { ClickStream } from '../src/clicks/stream/stream.ts';
import type { Log } from '../src/log.ts';
import { repeatedWarningsOf } from '../src/resilience/repeated-warnings.ts';
import { withDeadline } from '../src/resilience/shutdown.ts';
import { type Knex, tryWithLock } from '../src/storage/postgres/postgres.ts';
import type { JobContext, Summary } from './jobs/job-context.ts';

/** Far more than a flush needs, which comes every second; less than an operator needs to wonder. */
const standardTimes = { lookEveryMs: 3_000, strandedMs: 15_000 };

/** How long stopping waits for the slice in hand. */
const stopMs = 2_000;

/** Any number that nobody else locks. */
const lockNumber = 7_261_034_156;

interface Seen {
  entryId: string;
  sinceMs: number;
}

/** Keeps clicks going into PostgreSQL when BullMQ does not see to it: where the same entry has been a shard's oldest for
 *  15 s although Redis answers, it flushes, one process at a time. A queue that an operator has paused stays at rest.
 *  `db` has two connections at least. Returns what stops it, after the slice in hand. */
export function watchFlushing(deps: {
  db: Knex;
  clickStream: ClickStream;
  shards: number;
  flush: (shard: number, context: JobContext) => Promise<Summary>;
  isPaused: () => Promise<boolean>;
  log: Log;
  times?: typeof standardTimes;
}): () => Promise<void> {
  const { db, clickStream, flush, log, times = standardTimes } = deps;
  const warnings = repeatedWarningsOf(log);
  const seen = new Map<number, Seen>();
  const shards = Array.from({ length: deps.shards }, (_, shard) => shard);
  const ending = new AbortController();
  const context: JobContext = { signal: ending.signal, reportProgress: async () => undefined };
  let looking: Promise<void> = Promise.resolve();
  const timer = setTimeout(startLook, times.lookEveryMs);

  function startLook(): void {
    looking = look().finally(() => {
      if (!ending.signal.aborted) timer.refresh();
    });
  }

  async function look(): Promise<void> {
    const stranded = await findStranded();
    if (ending.signal.aborted) return;
    if (stranded.length === 0) {
      if (seen.size === 0) warnings.end('flush watchdog', {}, 'jobs flush clicks again');
      return;
    }
    if (await deps.isPaused()) {
      warnings.warn('flush watchdog', { shards: stranded }, 'clicks wait because flush-clicks is paused');
      for (const shard of stranded) seen.delete(shard);
      return;
    }
    try {
      const summaries = await tryWithLock(db, lockNumber, async () => await flushAll(stranded));
      if (summaries)
        warnings.warn(
          'flush watchdog',
          { shards: stranded, summaries },
          'flushed clicks without a job, because no job did',
        );
    } catch (error) {
      warnings.warn(
        'flush watchdog',
        { err: error, shards: stranded },
        'failed to flush clicks without a job',
      );
    }
    // What is left is given its time again: jobs may be back, or another process may be at it.
    for (const shard of stranded) seen.delete(shard);
  }

  async function flushAll(stranded: number[]): Promise<Summary[]> {
    const summaries: Summary[] = [];
    for (const shard of stranded) {
      if (!ending.signal.aborted) summaries.push(await flush(shard, context));
    }
    return summaries;
  }

  /** The shards whose oldest entry has been the same for too long. */
  async function findStranded(): Promise<number[]> {
    try {
      const oldest = await Promise.all(shards.map(async (shard) => await clickStream.oldest(shard)));
      const now = performance.now();
      return shards.filter((shard) => {
        const entryId = oldest[shard]?.entryId;
        if (entryId === undefined) seen.delete(shard);
        else if (seen.get(shard)?.entryId !== entryId) seen.set(shard, { entryId, sinceMs: now });
        return now - (seen.get(shard)?.sinceMs ?? now) >= times.strandedMs;
      });
    } catch (error) {
      log.debug({ err: error }, 'the waiting clicks could not be looked at');
      seen.clear();
      return [];
    }
  }

  return async () => {
    ending.abort();
    clearTimeout(timer);
    // Its transaction is undone when the connection ends; the workers behind it need the time.
    await withDeadline(looking, stopMs, () => undefined);
  };
}
