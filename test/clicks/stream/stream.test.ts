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

test('what was sent is claimed in its order, again and again, until it is acknowledged', async () => {
  const { stream } = openStream();
  const batches = [1, 2, 3].map((seq) => makeBatch(seq));
  const sent: string[] = [];
  for (const batch of batches) sent.push(await stream.send(batch));
  const claimed = await stream.readPending(0);
  expect(idsOf(claimed)).toEqual(sent);
  expect(claimed.map((entry) => entry.batch)).toEqual(batches);
  expect(await stream.readPending(0)).toEqual(claimed);
  expect(await stream.length(0)).toBe(3);
});

test('acknowledging removes what was claimed and nothing that came since', async () => {
  const { stream } = openStream();
  await stream.send(makeBatch(1));
  const claimed = await stream.readPending(0);
  const late = makeBatch(2);
  await stream.send(late);
  await stream.delete(0, idsOf(claimed));
  await stream.delete(0, idsOf(claimed));
  expect((await stream.readPending(0)).map((entry) => entry.batch)).toEqual([late]);
});

test('an empty shard has nothing to claim', async () => {
  const { stream } = openStream();
  expect(await stream.readPending(0)).toEqual([]);
  expect(await stream.length(0)).toBe(0);
});

test('a claim takes at most 1,000, the oldest first', async () => {
  const { stream } = openStream();
  const producer = uuidv7();
  await Promise.all(Array.from({ length: 1_005 }, (_, i) => stream.send(makeBatch(i + 1, producer))));
  const claimed = await stream.readPending(0);
  expect(claimed.map((entry) => entry.batch?.seq)).toEqual(Array.from({ length: 1_000 }, (_, i) => i + 1));
  await stream.delete(0, idsOf(claimed));
  expect((await stream.readPending(0)).map((entry) => entry.batch?.seq)).toEqual([
    1_001, 1_002, 1_003, 1_004, 1_005,
  ]);
});

test('a producer keeps to one shard, and producers spread over all of them', async () => {
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

test('what is no batch is claimed with its raw fields between sound ones, and can be acknowledged', async () => {
  const { stream, addRaw } = openStream();
  const [first, last] = [makeBatch(1), makeBatch(2)];
  await stream.send(first);
  await addRaw('hello', 'world');
  await addRaw(Buffer.from([0, 255, 10]), Buffer.from([0xc3, 0x28]));
  await stream.send(last);
  const claimed = await stream.readPending(0);
  expect(claimed.map((entry) => entry.batch)).toEqual([first, undefined, undefined, last]);
  expect(claimed[1]!.raw).toEqual(['hello', 'world']);
  await stream.delete(0, idsOf(claimed));
  expect(await stream.length(0)).toBe(0);
});

test('the oldest entry tells how long it has waited, whatever has come since', async () => {
  const { stream } = openStream();
  expect(await stream.oldest(0)).toBeUndefined();
  const start = performance.now();
  await stream.send(makeBatch(1));
  const [first] = await stream.readPending(0);
  await stream.send(makeBatch(2));
  const oldest = await waitUntil('it has waited', async () => {
    const found = await stream.oldest(0);
    return found && found.waitingMs >= 50 && found;
  });
  expect(oldest.entryId).toBe(first!.entryId);
  expect(oldest.waitingMs).toBeLessThan(performance.now() - start + 10);
});
