import type { Redis } from 'ioredis';
import type { Batch } from '../click-batch.ts';
import { decodeBatch, encodeBatch } from './batch-codec.ts';

/** A stream entry: a batch, or what could not be read as one. */
export interface ClaimedEntry {
  entryId: string;
  batch: Batch | undefined;
  /** The entry's fields as they came, for the quarantine. */
  raw: string[];
}

/** Batches that one claim reads at most. */
const claimLimit = 1_000;

export type ClickStream = ReturnType<typeof createClickStream>;

/** The way of batches from web processes to workers, one Redis stream per shard. Redis only carries: nothing here decides
 *  what was counted, so an entry may be sent, read and removed any number of times. */
export function createClickStream(redis: Redis, options: { prefix: string; shards: number }) {
  const streamKey = (shard: number) => `${options.prefix}:clicks:{${shard}}`;
  /** A producer keeps to one shard. The last bytes of its id are random. */
  const shardOf = (producer: string) => Number.parseInt(producer.slice(-6), 16) % options.shards;

  return {
    shardOf,

    /** Resolves once Redis has the batch, to the id of its entry. A rejection means "unknown", not "failed": Redis may have
     *  it all the same. */
    async send(batch: Batch): Promise<string> {
      const entryId = await redis.xadd(streamKey(shardOf(batch.producer)), '*', ...encodeBatch(batch));
      return entryId!;
    },

    /** The oldest waiting entries of a shard, which stay there until they are acknowledged. */
    async claim(shard: number): Promise<ClaimedEntry[]> {
      const entries = await redis.xrange(streamKey(shard), '-', '+', 'COUNT', claimLimit);
      return entries.map(([entryId, raw]) => ({ entryId, raw, batch: decodeBatch(raw) }));
    },

    /** Removes entries whose clicks are in PostgreSQL. */
    async acknowledge(shard: number, entryIds: string[]): Promise<void> {
      await redis.xdel(streamKey(shard), ...entryIds);
    },

    /** The entry that has waited longest in a shard, and for how long by Redis' clock; undefined when none waits. */
    async oldest(shard: number): Promise<{ entryId: string; waitingMs: number } | undefined> {
      const [[seconds, microseconds], [entry]] = await Promise.all([
        redis.time(),
        redis.xrange(streamKey(shard), '-', '+', 'COUNT', 1),
      ]);
      if (!entry) return undefined;
      const nowMs = Number(seconds) * 1_000 + Number(microseconds) / 1_000;
      return { entryId: entry[0], waitingMs: nowMs - Number.parseInt(entry[0]) };
    },

    /** Batches that wait in all shards, and how long the oldest of them has waited. */
    async readAll(): Promise<{ waiting: number; oldestMs: number }> {
      const shards = Array.from({ length: options.shards }, (_, shard) => shard);
      const [lengths, oldest] = await Promise.all([
        Promise.all(shards.map((shard) => this.length(shard))),
        Promise.all(shards.map((shard) => this.oldest(shard))),
      ]);
      return {
        waiting: lengths.reduce((sum, length) => sum + length, 0),
        oldestMs: Math.max(...oldest.map((entry) => entry?.waitingMs ?? 0)),
      };
    },

    /** Batches that wait in a shard. */
    async length(shard: number): Promise<number> {
      return await redis.xlen(streamKey(shard));
    },
  };
}
