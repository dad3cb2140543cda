import { v7 as uuidv7 } from 'uuid';
import { expect, test } from 'vitest';
import type { Batch } from '../../../src/clicks/click-batch.ts';
import { type StreamEntry, createClickStream } from '../../../src/clicks/stream/stream.ts';
import { uniquePrefix, useRedis } from '../../support/resources.ts';
import { waitUntil } from '../../support/wait-until.ts';

const { redis, prefix } = useRedis();

function openStream(shards = 1) {
  const own = `${prefix}-${uniquePrefix()}`;
  const stream = createClickStream(redis(), { prefix: own, shards });
  return {
    stream,
    addRaw: async (...fields: (string | Buffer)[]) => await redis().xadd(`${own}:clicks:{0}`, '*', ...fields),
  };
}

const makeBatch = (seq: number, producer = uuidv7()): Batch => ({
  producer,
  seq,
  accepted: seq,
  clicks: [{ urlId: seq, count: 1, lastAtMs: 1_700_000_000_000 }],
});

const idsOf = (entries: StreamEntry[]) => entries.map((entry) => entry.entryId);

test('pending entries are read in order, repeatedly, until they are deleted', async () => {
  const { stream } = openStream();
  const batches = [1, 2, 3].map((seq) => makeBatch(seq));
  const sent: string[] = [];
  for (const batch of batches) sent.push(await stream.send(batch));
  const pending = await stream.readPending(0);
  expect(idsOf(pending)).toEqual(sent);
  expect(pending.map((entry) => entry.batch)).toEqual(batches);
  expect(await stream.readPending(0)).toEqual(pending);
  expect(await stream.length(0)).toBe(3);
});

test('delete removes the entries that were read, and no later ones', async () => {
  const { stream } = openStream();
  await stream.send(makeBatch(1));
  const pending = await stream.readPending(0);
  const late = makeBatch(2);
  await stream.send(late);
  await stream.delete(0, idsOf(pending));
  await stream.delete(0, idsOf(pending));
  expect((await stream.readPending(0)).map((entry) => entry.batch)).toEqual([late]);
});

test('an empty shard has no pending entries', async () => {
  const { stream } = openStream();
  expect(await stream.readPending(0)).toEqual([]);
  expect(await stream.length(0)).toBe(0);
});

test('a read returns at most 1,000 entries, the oldest first', async () => {
  const { stream } = openStream();
  const producer = uuidv7();
  await Promise.all(Array.from({ length: 1_005 }, (_, i) => stream.send(makeBatch(i + 1, producer))));
  const pending = await stream.readPending(0);
  expect(pending.map((entry) => entry.batch?.seq)).toEqual(Array.from({ length: 1_000 }, (_, i) => i + 1));
  await stream.delete(0, idsOf(pending));
  expect((await stream.readPending(0)).map((entry) => entry.batch?.seq)).toEqual([
    1_001, 1_002, 1_003, 1_004, 1_005,
  ]);
});

test('a producer uses one shard, and producers are spread over all shards', async () => {
  const { stream } = openStream(4);
  const producers = Array.from({ length: 60 }, () => uuidv7());
  for (const producer of producers)
    await Promise.all([1, 2].map((seq) => stream.send(makeBatch(seq, producer))));
  const shards = await Promise.all([0, 1, 2, 3].map((shard) => stream.readPending(shard)));
  const seen = shards.map((entries) => entries.map((entry) => entry.batch!.producer));
  for (const shard of seen) expect(shard.length).toBeGreaterThan(0);
  expect(seen.flat()).toHaveLength(120);
  expect(seen.map((shard) => new Set(shard).size).reduce((a, b) => a + b)).toBe(60);
});

test('a batch of 0.1.0 that waits is read', async () => {
  const { stream, addRaw } = openStream();
  const batch = makeBatch(7);
  await addRaw('p', batch.producer, 's', '7', 'a', '7', 't', '1700000000000', 'c', '7,1,0');
  expect((await stream.readPending(0))[0]!.batch).toEqual(batch);
});

test('an invalid entry is read with its raw fields, and can be deleted', async () => {
  const { stream, addRaw } = openStream();
  const [first, last] = [makeBatch(1), makeBatch(2)];
  await stream.send(first);
  await addRaw('hello', 'world');
  await addRaw(Buffer.from([0, 255, 10]), Buffer.from([0xc3, 0x28]));
  await stream.send(last);
  const pending = await stream.readPending(0);
  expect(pending.map((entry) => entry.batch)).toEqual([first, undefined, undefined, last]);
  expect(pending[1]!.raw.map(String)).toEqual(['hello', 'world']);
  await stream.delete(0, idsOf(pending));
  expect(await stream.length(0)).toBe(0);
});

test('the age of the oldest entry does not depend on later entries', async () => {
  const { stream } = openStream();
  expect(await stream.oldest(0)).toBeUndefined();
  const start = performance.now();
  await stream.send(makeBatch(1));
  const [first] = await stream.readPending(0);
  await stream.send(makeBatch(2));
  const oldest = await waitUntil('the oldest entry has waited 50 ms', async () => {
    const found = await stream.oldest(0);
    return found && found.waitingMs >= 50 && found;
  });
  expect(oldest.entryId).toBe(first!.entryId);
  expect(oldest.waitingMs).toBeLessThan(performance.now() - start + 10);
});
