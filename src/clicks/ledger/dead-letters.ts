import type { Knex } from '../../storage/postgres/postgres.ts';
import { type Batch, countClicks } from '../click-batch.ts';

/** What came by the stream and is no batch; `source` names it, so that it is kept once. */
export interface Unreadable {
  source: string;
  payload: string;
}

/** Keeps what cannot be counted, each entry once; resolves to the sources of those that were not kept already. In one order,
 *  so that two that keep the same do not deadlock. */
export async function quarantine(trx: Knex, reason: string, entries: Unreadable[]): Promise<Set<string>> {
  if (entries.length === 0) return new Set();
  const { rows } = await trx.raw<{ rows: { source: string }[] }>(
    `insert into click_quarantine (source, reason, payload)
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

/** Keeps batches as dead letters; resolves to the clicks of those that were not kept already. */
export async function deadLetterBatches(trx: Knex, batches: Batch[], reason: string): Promise<number> {
  const sourceOf = ({ producer, seq }: Batch) => `batch ${producer} ${seq}`;
  const bySource = new Map(batches.map((batch) => [sourceOf(batch), batch]));
  const entries = [...bySource].map(([source, batch]) => ({ source, payload: JSON.stringify(batch) }));
  const kept = await quarantine(trx, reason, entries);
  return countClicks([...kept].map((source) => bySource.get(source)!));
}
