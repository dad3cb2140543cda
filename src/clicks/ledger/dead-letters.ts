import type { Knex } from '../../storage/postgres/postgres.ts';
import { type Batch, countClicks } from '../click-batch.ts';

/** A stream entry that is not a valid batch. `source` identifies it, so that it is stored once. */
export interface UnreadableEntry {
  source: string;
  payload: string;
}

/** Stores entries that cannot be counted, each once; resolves to the sources of the new ones. Inserts in a fixed
 *  order, so that concurrent calls do not deadlock. */
export async function insertDeadLetters(
  trx: Knex,
  reason: string,
  entries: UnreadableEntry[],
): Promise<Set<string>> {
  if (entries.length === 0) return new Set();
  const { rows } = await trx.raw<{ rows: { source: string }[] }>(
    `insert into click_dead_letters (source, reason, payload)
     select source, :reason, payload
     from unnest(cast(:sources as text[]), cast(:payloads as text[])) as entry (source, payload) order by source
     on conflict (source) do nothing returning source`,
    {
      reason,
      sources: entries.map((entry) => entry.source),
      payloads: entries.map((entry) => entry.payload),
    },
  );
  return new Set(rows.map((row) => row.source));
}

/** Stores batches as dead letters; resolves to the number of clicks in the new ones. */
export async function deadLetterBatches(trx: Knex, batches: Batch[], reason: string): Promise<number> {
  const sourceOf = ({ producer, seq }: Batch) => `batch ${producer} ${seq}`;
  const bySource = new Map(batches.map((batch) => [sourceOf(batch), batch]));
  const entries = [...bySource].map(([source, batch]) => ({ source, payload: JSON.stringify(batch) }));
  const inserted = await insertDeadLetters(trx, reason, entries);
  return countClicks([...inserted].map((source) => bySource.get(source)!));
}
