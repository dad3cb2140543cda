import { v7 as uuidv7 } from 'uuid';
import type { Knex } from '../storage/postgres/postgres.ts';
import type { Batch } from './click-batch.ts';

/** Where the first digits of the epoch are in the id of a producer, and how many there are: its last digits choose the shard. */
const tagAt = 24;
const tagLength = 6;

/** A new producer of an epoch: a UUID of version 7 whose last part begins with the epoch's first digits, so that every batch
 *  says in which epoch its ids were read, in a form that earlier releases carry too. */
export function createProducerId(epoch: string | undefined): string {
  const id = uuidv7();
  if (epoch === undefined) return id;
  return id.slice(0, tagAt) + epoch.slice(0, tagLength) + id.slice(tagAt + tagLength);
}

const tagOf = (producer: string) => producer.slice(tagAt, tagAt + tagLength);

/** Up to which id the clicks of each batch name the short URLs that they were on; undefined for a batch of another database, or
 *  of an epoch that this one does not descend from. */
export async function readUrlIdLimits(db: Knex): Promise<(batch: Batch) => number | undefined> {
  const { rows } = await db.raw<{ rows: { epoch: string; urlIdFloor: number }[] }>(
    'select epoch, url_id_floor as "urlIdFloor" from database_epochs order by number',
  );
  // A database without a restore takes batches of releases that did not know epochs.
  if (rows.length <= 1) return () => Infinity;
  // Ids that were issued after the next epoch began name other short URLs.
  const limits = new Map(
    rows.map(({ epoch }, i) => [epoch.slice(0, tagLength), rows[i + 1]?.urlIdFloor ?? Infinity]),
  );
  return ({ producer }) => limits.get(tagOf(producer));
}
