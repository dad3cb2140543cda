import { v7 as uuidv7 } from 'uuid';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { openClickStore } from '../../src/analytics/click-store.ts';
import { createClickStream } from '../../src/clicks/stream/stream.ts';
import { watchFlushing } from '../../workers/flush-watchdog.ts';
import { flushClicks } from '../../workers/jobs/flush-clicks.ts';
import type { JobContext, Summary } from '../../workers/jobs/job-context.ts';
import { createJobContext } from '../support/job-context.ts';
import { readSlowness } from '../support/processes/slowness.ts';
import { silentLog, useDatabase, useRedis } from '../support/resources.ts';
import { insertUrls } from '../support/urls/urls.ts';
import { waitUntil } from '../support/wait-until.ts';

const database = useDatabase();
const redis = useRedis();
/** Longer than a busy machine takes from one claim to the next. */
const strandedMs = 500 * Math.min(4, readSlowness());
const times = { lookEveryMs: 50, strandedMs };
const shards = 2;
const stops: (() => Promise<void>)[] = [];
let urlId: number;

const createDeps = () => ({
  clickStream: createClickStream(redis.redis(), { prefix: redis.prefix, shards }),
  clickStore: openClickStore(database.db()),
});
const flush = async (shard: number, context: JobContext = createJobContext()) =>
  await flushClicks(createDeps(), [shard], context);

beforeAll(async () => {
  await insertUrls(database.db(), { begin: 'clicked-', count: 1 });
  [urlId] = await database.db()('urls').pluck('id');
});
afterEach(async () => {
  await Promise.all(stops.splice(0).map(async (stop) => await stop()));
  for (let shard = 0; shard < shards; shard++) await flush(shard);
});

/** A guard; `flushed` are the shards that it has flushed so far, `looks` how often it has looked at one. */
function startGuard({
  isPaused = async () => false,
  flushOne = flush,
}: {
  isPaused?: () => Promise<boolean>;
  flushOne?: (shard: number, context: JobContext) => Promise<Summary>;
} = {}) {
  const flushed: number[] = [];
  let looks = 0;
  const { clickStream } = createDeps();
  const oldest = async (shard: number) => {
    looks += 1;
    return await clickStream.oldest(shard);
  };
  const stop = watchFlushing({
    db: database.db(),
    clickStream: { ...clickStream, oldest },
    shards,
    flush: async (shard, context) => {
      flushed.push(shard);
      return await flushOne(shard, context);
    },
    isPaused,
    log: silentLog,
    times,
  });
  stops.push(stop);
  return { flushed, stop, looks: () => looks };
}

/** Sends batches of one click each; those of one producer share a shard. */
async function send(count: number, producer = uuidv7()) {
  const batches = Array.from({ length: count }, (_, i) => ({
    producer,
    seq: i + 1,
    accepted: i + 1,
    clicks: [{ urlId, count: 1, lastAtMs: 1_700_000_000_000 }],
  }));
  for (const batch of batches) await createDeps().clickStream.send(batch);
}

const countWaiting = async () => {
  const lengths = await Promise.all(
    [0, 1].map(async (shard) => await createDeps().clickStream.length(shard)),
  );
  return lengths.reduce((sum, length) => sum + length, 0);
};
const readCount = async () => Number((await database.db()('url_stats').pluck('click_count'))[0]);

test('clicks that nobody flushes are counted when their oldest entry has waited its time, by one of several guards', async () => {
  const before = await readCount();
  const start = performance.now();
  await send(20);
  const flushOne = async (shard: number, context: JobContext) => {
    // Long enough for every other guard to look.
    const end = performance.now() + 4 * times.lookEveryMs;
    await waitUntil('the others have looked', () => performance.now() > end);
    return await flush(shard, context);
  };
  const guards = [1, 2, 3].map(() => startGuard({ flushOne }));
  await waitUntil('the clicks are counted', async () => (await readCount()) === before + 20);
  expect(performance.now() - start).toBeGreaterThan(times.strandedMs);
  expect(guards.flatMap(({ flushed }) => flushed).length).toBe(1);
  expect(await countWaiting()).toBe(0);
});

test('a guard leaves clicks alone whose oldest entry changes, however many wait', async () => {
  const { flushed } = startGuard();
  const end = performance.now() + 4 * times.strandedMs;
  const stream = createDeps().clickStream;
  const producer = uuidv7();
  await send(20, producer);
  await waitUntil('a slow flush has taken long enough', async () => {
    for (let shard = 0; shard < shards; shard++) {
      const [first] = await stream.claim(shard);
      if (first) await stream.acknowledge(shard, [first.entryId]);
    }
    // However long this takes, clicks keep waiting.
    await send(1, producer);
    return performance.now() > end;
  });
  expect(await countWaiting()).toBeGreaterThan(0);
  expect(flushed).toEqual([]);
});

test('a guard leaves clicks alone while the queue is paused, and flushes them when it goes on', async () => {
  const before = await readCount();
  let asked = 0;
  let paused = true;
  const { flushed } = startGuard({
    isPaused: async () => {
      asked += 1;
      return paused;
    },
  });
  await send(5);
  await waitUntil('it has asked twice', () => asked >= 2);
  expect(flushed).toEqual([]);
  paused = false;
  await waitUntil('the clicks are counted', async () => (await readCount()) === before + 5);
});

test('a guard that is stopped ends its flush after the slice in hand, and does nothing any more', async () => {
  let aborted = false;
  const flushOne = async (_shard: number, { signal }: JobContext) => {
    await waitUntil('it is told to end', () => signal.aborted);
    aborted = true;
    return {};
  };
  const { flushed, stop, looks } = startGuard({ flushOne });
  await send(5);
  await waitUntil('it flushes', () => flushed.length === 1);
  await stop();
  expect(aborted).toBe(true);
  const looksBefore = looks();
  const end = performance.now() + 2 * times.strandedMs;
  await waitUntil('it has had its time', () => performance.now() > end);
  expect([flushed.length, looks()]).toEqual([1, looksBefore]);
  expect(await countWaiting()).toBe(5);
});

test('a flush that fails is tried again', async () => {
  const before = await readCount();
  let failures = 0;
  const flushOne = async (shard: number, context: JobContext) => {
    failures += 1;
    if (failures === 1) throw new Error('the database said no');
    return await flush(shard, context);
  };
  startGuard({ flushOne });
  await send(5);
  await waitUntil('the clicks are counted', async () => (await readCount()) === before + 5);
  expect(failures).toBe(2);
});
