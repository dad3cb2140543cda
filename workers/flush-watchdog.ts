import type { ClickStream } from '../src/clicks/stream/stream.ts';
import type { Log } from '../src/log.ts';
import { createPoller } from '../src/resilience/poller.ts';
import { repeatedWarningsOf } from '../src/resilience/repeated-warnings.ts';
import { withDeadline } from '../src/resilience/shutdown.ts';
import { advisoryLocks } from '../src/storage/postgres/advisory-locks.ts';
import { type Knex, tryWithLock } from '../src/storage/postgres/postgres.ts';
import type { JobContext, Summary } from './job-context.ts';

/** A flush job runs every second, so a queue whose oldest entry is 15 s old is not served. */
const standardTimes = { checkEveryMs: 3_000, staleMs: 15_000 };

/** How long stopping waits for the slice in progress. */
const stopMs = 2_000;

interface OldestEntry {
  entryId: string;
  sinceMs: number;
}

/** Flushes clicks when no job does. A shard is stale when its oldest entry has been the same for 15 s although Redis answers; one process
 *  at a time flushes the stale shards. A queue that an operator has paused is not flushed. `db` needs two connections. Returns a
 *  function that stops it after the slice in progress. */
export function startFlushWatchdog(deps: {
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
  const oldestEntries = new Map<number, OldestEntry>();
  const shards = Array.from({ length: deps.shards }, (_, shard) => shard);
  const interruption = new AbortController();
  const context: JobContext = { signal: interruption.signal, reportProgress: async () => undefined };
  const poller = createPoller({
    everyMs: times.checkEveryMs,
    run: check,
    onFailure: (error) => log.error({ err: error }, 'failed to check for stale clicks'),
  });

  async function check(): Promise<void> {
    const stale = await findStale();
    if (interruption.signal.aborted) return;
    if (stale.length === 0) {
      if (oldestEntries.size === 0) warnings.end('flush watchdog', {}, 'jobs flush clicks again');
      return;
    }
    if (await deps.isPaused()) {
      warnings.warn('flush watchdog', { shards: stale }, 'clicks wait because flush-clicks is paused');
    } else {
      await flushStale(stale);
    }
    // A shard that is still stale waits for its time again: by then jobs or another process may flush it.
    for (const shard of stale) oldestEntries.delete(shard);
  }

  async function flushStale(stale: number[]): Promise<void> {
    try {
      const summaries = await tryWithLock(db, advisoryLocks.flushWatchdog, async () => await flushAll(stale));
      if (summaries)
        warnings.warn(
          'flush watchdog',
          { shards: stale, summaries },
          'flushed clicks without a job, because no job did',
        );
    } catch (error) {
      warnings.warn('flush watchdog', { err: error, shards: stale }, 'failed to flush clicks without a job');
    }
  }

  async function flushAll(stale: number[]): Promise<Summary[]> {
    const summaries: Summary[] = [];
    for (const shard of stale) {
      if (!interruption.signal.aborted) summaries.push(await flush(shard, context));
    }
    return summaries;
  }

  /** The shards whose oldest entry has not changed for `staleMs`. */
  async function findStale(): Promise<number[]> {
    try {
      const oldest = await Promise.all(shards.map(async (shard) => await clickStream.oldest(shard)));
      const now = performance.now();
      return shards.filter((shard) => {
        const entryId = oldest[shard]?.entryId;
        if (entryId === undefined) oldestEntries.delete(shard);
        else if (oldestEntries.get(shard)?.entryId !== entryId)
          oldestEntries.set(shard, { entryId, sinceMs: now });
        return now - (oldestEntries.get(shard)?.sinceMs ?? now) >= times.staleMs;
      });
    } catch (error) {
      log.debug({ err: error }, 'failed to read the oldest clicks of the stream');
      oldestEntries.clear();
      return [];
    }
  }

  return async () => {
    interruption.abort();
    // After the deadline the server rolls back when the connection closes; other resources need the rest of the shutdown time.
    await withDeadline(poller.stop(), stopMs, () => undefined);
  };
}
