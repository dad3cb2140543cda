import type { Redis } from 'ioredis';
import { v7 as uuidv7 } from 'uuid';
import { openClickStore } from '../../src/analytics/click-store.ts';
import { createOpenBatch } from '../../src/clicks/recording/open-batch.ts';
import { type ClickStream, createClickStream } from '../../src/clicks/stream/stream.ts';
import type { Knex } from '../../src/storage/postgres/postgres.ts';
import { createJobContext } from '../../test/support/job-context.ts';
import { createRandom, createZipf } from '../../test/support/random.ts';
import { flushClicks } from '../../workers/jobs/clicks/flush-clicks.ts';

/** Number of batches in transit at once. */
const window = 500;

/** Clicks that are chosen before the first is sent, because choosing takes longer than sending. They are repeated. */
const chosen = 50_000;

/** Queues clicks by Zipf's law in a separate stream and flushes them in one job, as a worker does after a pause.
 *  `bytesEach` is the memory of Redis per waiting click. */
export async function measureFlush(
  { db, redis }: { db: Knex; redis: Redis },
  options: { prefix: string; urlIds: number[]; clicks: number; perBatch: number },
): Promise<{ flushed: number; seconds: number; bytesEach: number }> {
  const { prefix, urlIds, clicks, perBatch } = options;
  const clickStream = createClickStream(redis, { prefix, shards: 1 });
  const picks = Array.from({ length: chosen }, createZipf(urlIds, createRandom(prefix)));
  let turn = 0;
  await fill(clickStream, () => picks[turn++ % chosen]!, clicks, perBatch);
  const bytes = Number(await redis.memory('USAGE', `${prefix}:clicks:{0}`));
  const start = performance.now();
  const { flushed } = await flushClicks(
    { clickStream, clickStore: openClickStore(db) },
    [0],
    createJobContext(),
  );
  return { flushed, seconds: (performance.now() - start) / 1_000, bytesEach: bytes / clicks };
}

async function fill(
  clickStream: ClickStream,
  pick: () => number,
  clicks: number,
  perBatch: number,
): Promise<void> {
  const producer = uuidv7();
  for (let seq = 0; seq * perBatch < clicks;) {
    const sending: Promise<string>[] = [];
    for (; sending.length < window && seq * perBatch < clicks;) {
      const batch = createOpenBatch();
      for (let i = 0; i < perBatch; i++) batch.add(pick(), Date.now());
      seq += 1;
      sending.push(clickStream.send({ producer, seq, accepted: seq * perBatch, clicks: batch.entries() }));
    }
    await Promise.all(sending);
  }
}
