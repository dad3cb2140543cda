import { type Batch, countClicks } from '../click-batch.ts';
import { decodeBatch, encodeBatch, type EncodedBatch } from '../stream/batch-codec.ts';

/** Younger batches stay in the outbox regardless of its size: Redis may still lose them, and no other copy exists. */
const minAgeMs = 5_000;

/** Kept batches may have this many times `maxEntries` entries: encoded, each takes about 25 bytes. */
const keptFactor = 5;

/** A batch that is not confirmed to be in PostgreSQL. Times are on the clock of performance.now(). It is encoded: as objects, the clicks of
 *  the last seconds would occupy the garbage collector longer than it takes to record them. */
export interface UnconfirmedBatch extends EncodedBatch {
  seq: number;
  accepted: number;
  entries: number;
  clicks: number;
  addedAt: number;
  /** When the outbox writes the batch to PostgreSQL itself. */
  dueAt: number;
  /** Stream entry, once Redis has acknowledged the batch. */
  entryId?: string | undefined;
  /** Until when the batch is kept after PostgreSQL had it; undefined before. */
  keptUntil?: number;
}

/** The batches of a producer that are not confirmed to be in PostgreSQL. Beyond `maxEntries`, batches that have been in
 *  Redis for some seconds are left to Redis and the workers. Batches that are not in Redis always stay. Confirmed batches are kept for
 *  `keepMs`, or shorter when they are many: a standby that is promoted may lack the latest commits of its primary. */
export function createUnconfirmedBatches(maxEntries: number, keepMs: number) {
  /** Not acknowledged by Redis: in transit or rejected. */
  const notInRedis = new Set<UnconfirmedBatch>();
  /** Acknowledged by Redis. */
  const inRedis = new Set<UnconfirmedBatch>();
  /** Confirmed, the oldest first. */
  const kept = new Set<UnconfirmedBatch>();
  let entries = 0;
  let keptEntries = 0;
  let confirmed = 0;

  function remove(item: UnconfirmedBatch): boolean {
    const existed = notInRedis.delete(item) || inRedis.delete(item);
    if (existed) entries -= item.entries;
    return existed;
  }

  function keep(item: UnconfirmedBatch, now: number): void {
    item.keptUntil = now + keepMs;
    kept.add(item);
    keptEntries += item.entries;
    for (const oldest of kept) {
      if (oldest.keptUntil! > now && keptEntries <= maxEntries * keptFactor) break;
      kept.delete(oldest);
      keptEntries -= oldest.entries;
    }
  }

  return {
    /** Adds a batch that becomes due after `afterMs`. */
    add(batch: Batch, afterMs: number): UnconfirmedBatch {
      const now = performance.now();
      const { producer, seq, accepted } = batch;
      const item = {
        producer,
        seq,
        accepted,
        entries: batch.clicks.length,
        clicks: countClicks([batch]),
        bytes: encodeBatch(batch),
        addedAt: now,
        dueAt: now + afterMs,
      };
      notInRedis.add(item);
      entries += item.entries;
      return item;
    },

    /** Records that Redis has acknowledged the batch. */
    markInRedis(item: UnconfirmedBatch, entryId: string): void {
      item.entryId = entryId;
      if (!notInRedis.delete(item)) return;
      inRedis.add(item);
      const now = performance.now();
      for (const oldest of inRedis) {
        if (entries <= maxEntries || now - oldest.addedAt < minAgeMs) break;
        remove(oldest);
      }
    },

    /** Removes a batch that PostgreSQL has. */
    confirm(item: UnconfirmedBatch): void {
      if (!remove(item)) return;
      if (item.keptUntil === undefined) confirmed += item.clicks;
      keep(item, performance.now());
    },

    /** Makes the kept batches unconfirmed and due: PostgreSQL may have lost them. */
    doubtConfirmed(): void {
      for (const item of kept) {
        inRedis.add(Object.assign(item, { dueAt: 0, entryId: undefined }));
        entries += item.entries;
      }
      kept.clear();
      keptEntries = 0;
    },

    all: (): UnconfirmedBatch[] => [...notInRedis, ...inRedis],

    /** Batches that Redis has not acknowledged. */
    notInRedis: (): UnconfirmedBatch[] => [...notInRedis],

    get size() {
      return notInRedis.size + inRedis.size;
    },

    /** Number of clicks in batches that were confirmed. */
    get confirmed() {
      return confirmed;
    },
  };
}

/** The batch itself, to write it to PostgreSQL. */
export function readBatch({ seq, bytes }: UnconfirmedBatch): Batch {
  const batch = decodeBatch(bytes);
  if (batch === undefined) throw new Error(`failed to decode batch ${seq}`);
  return batch;
}
