import type { RedisClient } from '../../storage/redis/client.ts';
import { createProducerId } from '../batch-epochs.ts';
import type { Batch } from '../click-batch.ts';
import { decodeBatch, encodeBatch, type EncodedBatch } from './batch-codec.ts';
import { decodeTextBatch } from './text-batch.ts';

/** A stream entry. `batch` is undefined when the fields are not a valid batch. */
export interface StreamEntry {
  entryId: string;
  batch: Batch | undefined;
  /** The raw fields, for the dead letters. */
  raw: Buffer[];
}

/** The field of a batch. A format that earlier releases cannot read needs another name. */
const batchField = 'b';

/** Maximum number of entries per read. */
const readLimit = 1_000;

/** The time and the ID of the oldest entry, from one node: the clocks of a cluster differ. */
const readOldestEntry = `
  local entry = redis.call('xrange', KEYS[1], '-', '+', 'COUNT', 1)[1]
  return { redis.call('time'), entry and entry[1] or false }`;

export type ClickStream = ReturnType<typeof createClickStream>;

/** Carries batches from web processes to workers, in one Redis stream per shard. Redis only transports: PostgreSQL
 *  decides what is counted, so an entry may be sent, read and deleted any number of times. */
export function createClickStream(redis: RedisClient, options: { prefix: string; shards: number }) {
  const streamKey = (shard: number) => `${options.prefix}:clicks:{${shard}}`;
  /** Returns the shard of a producer. The last digits of its ID are random. */
  const shardOf = (producer: string) => Number.parseInt(producer.slice(-6), 16) % options.shards;

  async function readLength(shard: number): Promise<number> {
    return await redis.xlen(streamKey(shard));
  }

  /** Returns the oldest entry of a shard and its age by Redis' clock; undefined when the shard is empty. */
  async function readOldest(shard: number): Promise<{ entryId: string; waitingMs: number } | undefined> {
    const reply = await redis.eval(readOldestEntry, 1, streamKey(shard));
    const [[seconds, microseconds], entryId] = reply as [[string, string], string | null];
    if (entryId === null) return undefined;
    const nowMs = Number(seconds) * 1_000 + Number(microseconds) / 1_000;
    return { entryId, waitingMs: nowMs - Number.parseInt(entryId) };
  }

  return {
    /** Returns the ID of a new producer, whose batches are in this shard. */
    createProducer(shard: number, epoch?: string): string {
      for (;;) {
        const producer = createProducerId(epoch);
        if (shardOf(producer) === shard) return producer;
      }
    },

    length: readLength,
    oldest: readOldest,

    /** Resolves to the entry ID once Redis has stored the batch. After a rejection Redis may have stored it too. */
    async send(batch: Batch | EncodedBatch): Promise<string> {
      const bytes = 'bytes' in batch ? batch.bytes : encodeBatch(batch);
      const entryId = await redis.xadd(streamKey(shardOf(batch.producer)), '*', batchField, bytes);
      return entryId!;
    },

    /** Returns the oldest entries of a shard; they stay until `delete` removes them. */
    async readPending(shard: number): Promise<StreamEntry[]> {
      const entries = await redis.xrangeBuffer(streamKey(shard), '-', '+', 'COUNT', readLimit);
      return entries.map(([entryId, raw]) => ({ entryId: entryId.toString(), raw, batch: readBatch(raw) }));
    },

    /** Removes entries whose clicks are in PostgreSQL. */
    async delete(shard: number, entryIds: string[]): Promise<void> {
      await redis.xdel(streamKey(shard), ...entryIds);
    },

    /** Returns the number of batches in all shards, and the age of the oldest one. */
    async readAll(): Promise<{ waiting: number; oldestMs: number }> {
      const shards = Array.from({ length: options.shards }, (_, shard) => shard);
      const [lengths, oldest] = await Promise.all([
        Promise.all(shards.map((shard) => readLength(shard))),
        Promise.all(shards.map((shard) => readOldest(shard))),
      ]);
      return {
        waiting: lengths.reduce((sum, length) => sum + length, 0),
        oldestMs: Math.max(...oldest.map((entry) => entry?.waitingMs ?? 0)),
      };
    },
  };
}

function readBatch(fields: Buffer[]): Batch | undefined {
  const [name, bytes] = fields;
  if (fields.length === 2 && name!.toString() === batchField) return decodeBatch(bytes!);
  return decodeTextBatch(fields.map(String));
}
