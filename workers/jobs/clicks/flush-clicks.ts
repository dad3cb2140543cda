import { isUtf8 } from 'node:buffer';
import type { ClickStore } from '../../../src/clicks/ledger/apply.ts';
import type { StreamEntry, ClickStream } from '../../../src/clicks/stream/stream.ts';
import { type JobContext, percentOf } from '../../job-context.ts';

/** Entries of clicks per transaction: other transactions wait for its locks, for about a second. */
const portionSize = 20_000;

/** Flushes the clicks that wait in these shards at the start. Safe to repeat after a crash at any line, and to run concurrently, because the
 *  ledger records the counted batches. `flushed` is the number of clicks; `urls` counts a short URL once per transaction. */
export async function flushClicks(
  deps: { clickStream: ClickStream; clickStore: ClickStore },
  shards: number[],
  { reportProgress, signal }: JobContext,
) {
  const { clickStream, clickStore } = deps;
  const summary = { flushed: 0, urls: 0, batches: 0, duplicates: 0, deadLetters: 0 };
  let done = 0;
  const waiting = await Promise.all(shards.map((shard) => clickStream.length(shard)));
  const total = waiting.reduce((sum, length) => sum + length, 0);
  for (const shard of shards) {
    for (let remaining = waiting[shards.indexOf(shard)]!; remaining > 0 && !signal.aborted;) {
      const entries = await clickStream.readPending(shard);
      if (entries.length === 0) break;
      for (const portion of splitIntoPortions(entries)) {
        const applied = await clickStore.apply(
          portion.flatMap(({ batch }) => batch ?? []),
          portion.filter(({ batch }) => !batch).map((entry) => toUnreadable(shard, entry)),
        );
        await clickStream.delete(
          shard,
          portion.map((entry) => entry.entryId),
        );
        summary.flushed += applied.clicks;
        summary.urls += applied.urls;
        summary.batches += applied.batches;
        summary.duplicates += applied.duplicates;
        summary.deadLetters += applied.deadLetters;
        remaining -= portion.length;
        done += portion.length;
        if (total > portion.length) await reportProgress(percentOf(done, total));
      }
    }
  }
  if (done === 0) return { flushed: 0, status: 'nothing to flush' };
  return { ...summary, interrupted: signal.aborted && done < total };
}

/** Splits entries into portions of at most `portionSize` clicks; a larger entry is its own portion. */
function splitIntoPortions(entries: StreamEntry[]): StreamEntry[][] {
  const portions: StreamEntry[][] = [];
  let size = Infinity;
  for (const entry of entries) {
    const clicks = entry.batch?.clicks.length ?? 0;
    if (size + clicks > portionSize) {
      portions.push([]);
      size = 0;
    }
    portions.at(-1)!.push(entry);
    size += clicks;
  }
  return portions;
}

const toUnreadable = (shard: number, { entryId, raw }: StreamEntry) => ({
  source: `stream ${shard} entry ${entryId}`,
  payload: JSON.stringify(raw.map(textOf)),
});

/** A field as a text; in base64 if it is none. */
const textOf = (field: Buffer) => (isUtf8(field) ? field.toString() : `base64:${field.toString('base64')}`);
