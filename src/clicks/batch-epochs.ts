import { v7 as uuidv7 } from 'uuid';
import type { Knex } from '../storage/postgres/postgres.ts';
import type { Batch } from './click-batch.ts';

/** Position and length of the epoch's first digits in a producer ID. The last digits of the ID choose the shard. */
const tagStart = 24;
const tagLength = 6;

/** Creates a producer ID: a UUID v7 whose last group begins with the first digits of the epoch. Each batch so carries
 *  the epoch in which its short URL IDs were read, in a format that earlier releases accept. */
export function createProducerId(epoch: string | undefined): string {
  const id = uuidv7();
  if (epoch === undefined) return id;
  return id.slice(0, tagStart) + epoch.slice(0, tagLength) + id.slice(tagStart + tagLength);
}

const tagOf = (producer: string) => producer.slice(tagStart, tagStart + tagLength);

/** Resolves to a function that returns the highest short URL ID that is valid for a batch. It returns undefined for a
 *  batch of another database, or of an epoch that is not an ancestor of the current one. */
export async function readUrlIdLimits(db: Knex): Promise<(batch: Batch) => number | undefined> {
  const { rows } = await db.raw<{ rows: { epoch: string; urlIdFloor: number }[] }>(
    'select epoch, url_id_floor as "urlIdFloor" from database_epochs order by number',
  );
  // Without a restore, batches of releases that did not know epochs are valid too.
  if (rows.length <= 1) return () => Infinity;
  // IDs issued after the next epoch began may identify other short URLs.
  const limits = new Map(
    rows.map(({ epoch }, i) => [epoch.slice(0, tagLength), rows[i + 1]?.urlIdFloor ?? Infinity]),
  );
  return ({ producer }) => limits.get(tagOf(producer));
}
