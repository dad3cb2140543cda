import { v7 as uuidv7 } from 'uuid';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { openClickStore } from '../../src/analytics/click-store.ts';
import { createClickStream } from '../../src/clicks/stream/stream.ts';
import { startFlushWatchdog } from '../../workers/flush-watchdog.ts';
import type { JobContext, Summary } from '../../workers/job-context.ts';
import { flushClicks } from '../../workers/jobs/clicks/flush-clicks.ts';
import { createJobContext } from '../support/job-context.ts';
import { readSlowness } from '../support/processes/slowness.ts';
import { silentLog, useDatabase, useRedis } from '../support/resources.ts';
import { insertUrls } from '../support/urls/urls.ts';
import { waitUntil } from '../support/wait-until.ts';

const database = useDatabase();
const redis = useRedis();
/** Longer than a busy machine takes from one claim to the next. */
const staleMs = 500 * Math.min(4, readSlowness());
const times = { checkEveryMs: 50, staleMs };
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

/** A watchdog; `flushed` lists the shards that it has flushed, `checks` counts its reads of the oldest entry. */
function startWatchdog({
  isPaused = async () => false,
  flushOne = flush,
}: {
  isPaused?: () => Promise<boolean>;
  flushOne?: (shard: number, context: JobContext) => Promise<Summary>;
} = {}) {
  const flushed: number[] = [];
  let checks = 0;
  const { clickStream } = createDeps();
  const oldest = async (shard: number) => {
    checks += 1;
    return await clickStream.oldest(shard);
  };
  const stop = startFlushWatchdog({
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
  return { flushed, stop, checks: () => checks };
}

/** Sends batches of one click each; the batches of one producer share a shard. */
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

test('stale clicks are flushed by one of several watchdogs', async () => {
  const before = await readCount();
  const start = performance.now();
  await send(20);
  const flushOne = async (shard: number, context: JobContext) => {
    // Long enough for the other watchdogs to check.
    const end = performance.now() + 4 * times.checkEveryMs;
    await waitUntil('the other watchdogs have checked', () => performance.now() > end);
    return await flush(shard, context);
  };
  const watchdogs = [1, 2, 3].map(() => startWatchdog({ flushOne }));
  await waitUntil('the clicks are counted', async () => (await readCount()) === before + 20);
  expect(performance.now() - start).toBeGreaterThan(times.staleMs);
  expect(watchdogs.flatMap(({ flushed }) => flushed).length).toBe(1);
  expect(await countWaiting()).toBe(0);
});

test('clicks are not stale while their oldest entry changes, however many wait', async () => {
  const { flushed } = startWatchdog();
  const end = performance.now() + 4 * times.staleMs;
  const stream = createDeps().clickStream;
  const producer = uuidv7();
  await send(20, producer);
  await waitUntil('the slow flush has taken long enough', async () => {
    for (let shard = 0; shard < shards; shard++) {
      const [first] = await stream.readPending(shard);
      if (first) await stream.delete(shard, [first.entryId]);
    }
    // Clicks are always waiting during this time.
    await send(1, producer);
    return performance.now() > end;
  });
  expect(await countWaiting()).toBeGreaterThan(0);
  expect(flushed).toEqual([]);
});

test('clicks are not flushed while the queue is paused, and are once it is resumed', async () => {
  const before = await readCount();
  let requests = 0;
  let paused = true;
  const { flushed } = startWatchdog({
    isPaused: async () => {
      requests += 1;
      return paused;
    },
  });
  await send(5);
  await waitUntil('the state of the queue is read twice', () => requests >= 2);
  expect(flushed).toEqual([]);
  paused = false;
  await waitUntil('the clicks are counted', async () => (await readCount()) === before + 5);
});

test('stopping interrupts the flush in progress and starts no other', async () => {
  let aborted = false;
  const flushOne = async (_shard: number, { signal }: JobContext) => {
    await waitUntil('the flush is interrupted', () => signal.aborted);
    aborted = true;
    return {};
  };
  const { flushed, stop, checks } = startWatchdog({ flushOne });
  await send(5);
  await waitUntil('the flush has started', () => flushed.length === 1);
  await stop();
  expect(aborted).toBe(true);
  const checksBefore = checks();
  const end = performance.now() + 2 * times.staleMs;
  await waitUntil('the next check is overdue', () => performance.now() > end);
  expect(flushed).toHaveLength(1);
  expect(checks()).toBe(checksBefore);
  expect(await countWaiting()).toBe(5);
});

test('a failed flush is retried', async () => {
  const before = await readCount();
  let failures = 0;
  const flushOne = async (shard: number, context: JobContext) => {
    failures += 1;
    if (failures === 1) throw new Error('connection terminated');
    return await flush(shard, context);
  };
  startWatchdog({ flushOne });
  await send(5);
  await waitUntil('the clicks are counted', async () => (await readCount()) === before + 5);
  expect(failures).toBe(2);
});
