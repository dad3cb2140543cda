import { v7 as uuidv7 } from 'uuid';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { openClickStore } from '../../../src/analytics/click-store.ts';
import type { Batch } from '../../../src/clicks/click-batch.ts';
import { createClickStream } from '../../../src/clicks/stream/stream.ts';
import { flushClicks } from '../../../workers/jobs/clicks/flush-clicks.ts';
import { createJobContext } from '../../support/job-context.ts';
import { useDatabase, useRedis } from '../../support/resources.ts';
import { insertUrls } from '../../support/urls/urls.ts';

const database = useDatabase();
const redis = useRedis();
const shards = [0, 1];
let urlIds: number[];

const createDeps = () => ({
  clickStream: createClickStream(redis.redis(), { prefix: redis.prefix, shards: shards.length }),
  clickStore: openClickStore(database.db()),
});
const flush = async () => await flushClicks(createDeps(), shards, createJobContext());

beforeAll(async () => {
  await insertUrls(database.db(), { begin: 'clicked-', count: 3 });
  urlIds = await database.db()('urls').orderBy('id').pluck('id');
});
beforeEach(async () => {
  await database.db()('url_stats').update({ click_count: 0, last_accessed_at: null });
});

/** Batches of distinct producers, each with one click on the first short URL and two on the second. */
function createBatches(count: number, producer = uuidv7()): Batch[] {
  return Array.from({ length: count }, (_, i) => ({
    producer,
    seq: i + 1,
    accepted: 3 * (i + 1),
    clicks: [
      { urlId: urlIds[0]!, count: 1, lastAtMs: 1_700_000_000_000 + i },
      { urlId: urlIds[1]!, count: 2, lastAtMs: 1_700_000_000_000 + i },
    ],
  }));
}

async function send(batches: Batch[]) {
  await Promise.all(batches.map(async (batch) => await createDeps().clickStream.send(batch)));
}

const readCounts = async (): Promise<number[]> =>
  await database.db()('url_stats').orderBy('url_id').pluck('click_count');

async function countWaiting() {
  const lengths = await Promise.all(
    shards.map(async (shard) => await createDeps().clickStream.length(shard)),
  );
  return lengths.reduce((sum, length) => sum + length, 0);
}

test('a flush counts every click of every shard and empties the stream', async () => {
  await send([...createBatches(30), ...createBatches(20), ...createBatches(10)]);
  expect(await flush()).toMatchObject({ flushed: 180, batches: 60, duplicates: 0, deadLetters: 0 });
  expect(await readCounts()).toEqual([60, 120, 0]);
  expect(await countWaiting()).toBe(0);
  const [row] = await database.db()('url_stats').where({ url_id: urlIds[0] });
  expect(row?.last_accessed_at).toEqual(new Date(1_700_000_000_029));
  expect(await flush()).toEqual({ flushed: 0, status: 'nothing to flush' });
});

test('batches that arrive twice are counted once', async () => {
  const batches = createBatches(25);
  await send([...batches, ...batches]);
  expect(await flush()).toMatchObject({ flushed: 75, batches: 25, duplicates: 25 });
  await send(batches);
  expect(await flush()).toMatchObject({ flushed: 0, batches: 0, duplicates: 25 });
  expect(await readCounts()).toEqual([25, 50, 0]);
});

test('a flush that crashed between counting and acknowledging counts nothing twice', async () => {
  await send(createBatches(40));
  const { clickStream, clickStore } = createDeps();
  for (const shard of shards) {
    const entries = await clickStream.readPending(shard);
    await clickStore.apply(entries.flatMap(({ batch }) => batch ?? []));
  }
  expect(await readCounts()).toEqual([40, 80, 0]);
  expect(await countWaiting()).toBe(40);

  expect(await flush()).toMatchObject({ flushed: 0, duplicates: 40 });
  expect(await readCounts()).toEqual([40, 80, 0]);
  expect(await countWaiting()).toBe(0);
});

test('a flush whose transaction fails loses nothing, and the next one counts it', async () => {
  await send(createBatches(10));
  await database.db().schema.renameTable('url_stats', 'url_stats_away');
  await expect(flush()).rejects.toThrow('url_stats');
  await database.db().schema.renameTable('url_stats_away', 'url_stats');
  expect(await countWaiting()).toBe(10);
  expect(await flush()).toMatchObject({ flushed: 30 });
  expect(await readCounts()).toEqual([10, 20, 0]);
});

test('five concurrent flushes during new clicks count each click once', async () => {
  const producers = Array.from({ length: 6 }, () => createBatches(200));
  await send(producers.slice(0, 4).flat());
  await Promise.all([...Array.from({ length: 5 }, flush), send(producers.slice(4).flat())]);
  await flush();
  expect(await readCounts()).toEqual([1_200, 2_400, 0]);
  expect(await countWaiting()).toBe(0);
});

test('more batches than one read are flushed in one run, with progress', async () => {
  await send(createBatches(2_500));
  const context = createJobContext();
  expect(await flushClicks(createDeps(), shards, context)).toMatchObject({ batches: 2_500, flushed: 7_500 });
  expect(context.reported).toEqual([40, 80, 100]);
});

test('a read with more entries than `portionSize` is applied in several transactions', async () => {
  const [producer, minutes] = [uuidv7(), Array.from({ length: 8_000 }, (_, i) => i)];
  const batches = [1, 2, 3, 4, 5].map((seq) => ({
    producer,
    seq,
    accepted: 8_000 * seq,
    clicks: minutes.map((i) => ({ urlId: urlIds[0]!, count: 1, lastAtMs: 60_000 * (8_000 * seq + i) })),
  }));
  await send(batches);
  const context = createJobContext();
  expect(await flushClicks(createDeps(), shards, context)).toMatchObject({ batches: 5, flushed: 40_000 });
  expect(context.reported).toEqual([40, 80, 100]);
  expect((await readCounts())[0]).toBe(40_000);
});

test('unreadable entries become one dead letter each and block no other batch', async () => {
  const entry = ['p', 'not-a-uuid', 's', 'NaN'];
  const stream = `${redis.prefix}:clicks:{0}`;
  const source = `stream 0 entry ${await redis.redis().xadd(stream, '*', ...entry)}`;
  const binary = `stream 0 entry ${await redis.redis().xadd(stream, '*', 'b', Buffer.from([255, 0]))}`;
  await send(createBatches(5));
  // Simulates a crash: the dead letter is already in the table.
  await createDeps().clickStore.apply([], [{ source, payload: JSON.stringify(entry) }]);

  expect(await flush()).toMatchObject({ batches: 5, flushed: 15, deadLetters: 2 });
  expect(await countWaiting()).toBe(0);
  const kept = await database.db()('click_dead_letters').select('source', 'reason', 'payload').orderBy('id');
  expect(kept).toEqual([
    { source, reason: 'unreadable', payload: JSON.stringify(entry) },
    { source: binary, reason: 'unreadable', payload: '["b","base64:/wA="]' },
  ]);
});

test('clicks on a purged short URL do not affect other clicks', async () => {
  const [batch] = createBatches(1);
  await send([
    { ...batch!, clicks: [...batch!.clicks, { urlId: 999_999, count: 7, lastAtMs: 1_700_000_000_000 }] },
  ]);
  await flush();
  expect(await readCounts()).toEqual([1, 2, 0]);
  expect(await countWaiting()).toBe(0);
});

test('an interrupted flush ends after its read, and the next one does the rest', async () => {
  await send(createBatches(2_500));
  const context = createJobContext();
  const stopAtFirst = { ...context, reportProgress: async () => context.stop() };
  const stopped = await flushClicks(createDeps(), shards, stopAtFirst);
  expect(stopped).toMatchObject({ batches: 1_000, interrupted: true });
  expect(await flush()).toMatchObject({ batches: 1_500, duplicates: 0, interrupted: false });
  expect(await readCounts()).toEqual([2_500, 5_000, 0]);
});
