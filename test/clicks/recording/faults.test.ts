import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, expect, test } from 'vitest';
import { openClickStore } from '../../../src/analytics/click-store.ts';
import type { Batch } from '../../../src/clicks/click-batch.ts';
import { readAudit } from '../../../src/clicks/ledger/audit.ts';
import { type ClickRecorder, createClickRecorder } from '../../../src/clicks/recording/recorder.ts';
import { createClickStream } from '../../../src/clicks/stream/stream.ts';
import { closeRedis } from '../../../src/storage/redis/redis.ts';
import { flushClicks } from '../../../workers/jobs/clicks/flush-clicks.ts';
import { createUrlIds, readCounts } from '../../support/clicks/clicks.ts';
import { createJobContext } from '../../support/job-context.ts';
import { silentLog, uniquePrefix, useDatabase, useRedis } from '../../support/resources.ts';
import { startTestRedis } from '../../support/services/servers.ts';
import { openSingleRedis } from '../../support/services/single-redis.ts';
import { waitUntil } from '../../support/wait-until.ts';

const { db } = useDatabase();
const { redis, prefix } = useRedis();
const open: { settle: () => Promise<void> }[] = [];
const minuteMs = 60_000;

afterEach(async () => {
  await Promise.all(open.splice(0).map(({ settle }) => settle()));
});

/** Opens a recorder with controllable stores: `stores` is their current state. */
function openRecorder({
  client = redis(),
  ackMs = 10_000,
  maxEntries = 1_000,
  maxWaiting = 100_000,
  waitsForAck = true,
} = {}) {
  const stores = {
    redis: 'takes clicks' as 'takes clicks' | 'is away' | 'is full',
    postgres: 'answers' as 'answers' | 'is away' | 'hangs' | 'takes no writes',
  };
  const own = `${prefix}-${uniquePrefix()}`;
  const stream = createClickStream(client, { prefix: own, shards: 1 });
  const store = openClickStore(db());
  /** Batches that the recorder wrote to PostgreSQL itself. */
  const straight: Batch[] = [];
  const fromPostgres =
    <Args extends unknown[], Result>(command: (...args: Args) => Promise<Result>) =>
    async (...args: Args) => {
      if (stores.postgres === 'is away') throw new Error('PostgreSQL is away');
      if (stores.postgres === 'hangs')
        await waitUntil('PostgreSQL resumes', () => stores.postgres !== 'hangs', Infinity);
      return await command(...args);
    };
  const recorder = createClickRecorder({
    stream: {
      ...stream,
      send: async (batch) => {
        if (stores.redis !== 'takes clicks') throw new Error(`Redis ${stores.redis}`);
        return await stream.send(batch);
      },
      length: async (shard) => {
        if (stores.redis === 'is away') throw new Error('Redis is away');
        return await stream.length(shard);
      },
    },
    store: {
      findApplied: fromPostgres(store.findApplied),
      registerProducer: fromPostgres(store.registerProducer),
      registerProducerAgain: fromPostgres(store.registerProducerAgain),
      reportAccepted: fromPostgres(store.reportAccepted),
      apply: fromPostgres(async (batches: Batch[]) => {
        if (stores.postgres === 'takes no writes') throw new Error('PostgreSQL takes no writes');
        straight.push(...batches);
        return await store.apply(batches);
      }),
    },
    waitsForAck,
    ackMs,
    maxEntries,
    keepMs: 30_000,
    maxWaiting,
    log: silentLog,
  });
  /** Stops everything, so that no further click arrives. */
  async function settle() {
    stores.postgres = 'answers';
    await recorder.drain();
  }
  open.push({ settle });
  return {
    recorder,
    settle,
    stores,
    straight,
    streamKey: `${own}:clicks:{0}`,
    waiting: async () => (await stream.readPending(0)).flatMap(({ batch }) => batch ?? []),
    flush: async () => await flushClicks({ clickStream: stream, clickStore: store }, [0], createJobContext()),
  };
}

/** Whether the visitor still waits at the end of the event loop turn. */
const isWaiting = async (answer: Promise<void>) =>
  await Promise.race([answer.then(() => false), nextTurn(true)]);
const sum = (counts: number[]) => counts.reduce((a, b) => a + b, 0);
const countEntries = (batches: Batch[]) => sum(batches.map((batch) => batch.clicks.length));
const waitForPath = (recorder: ClickRecorder, usesRedis: boolean) =>
  waitUntil(`clicks ${usesRedis ? '' : 'do not '}go to Redis`, () => recorder.read().usesRedis === usesRedis);

test('after Redis rejects a batch, visitors do not wait for it until it accepts clicks again', async () => {
  const { recorder, stores, settle, flush } = openRecorder();
  const [url] = (await createUrlIds(db(), 1)) as [number];
  expect(await isWaiting(recorder.record(url, 0))).toBe(true);
  stores.redis = 'is away';
  await recorder.record(url, 0);
  expect(recorder.read().usesRedis).toBe(false);
  for (let i = 0; i < 20; i++) expect(await isWaiting(recorder.record(url, 0))).toBe(false);

  stores.redis = 'takes clicks';
  await waitForPath(recorder, true);
  const answer = recorder.record(url, 0);
  expect(await isWaiting(answer)).toBe(true);
  await answer;
  await settle();
  await flush();
  expect(await readCounts(db(), [url])).toEqual([23]);
});

test('visitors wait for a hanging Redis only once, and each click is counted once', async () => {
  const hanging = await startTestRedis();
  const client = openSingleRedis('clicks', hanging.url, silentLog);
  try {
    await waitUntil('Redis is connected', () => client.status === 'ready');
    const { recorder, settle, flush } = openRecorder({ client, ackMs: 100 });
    const [url] = (await createUrlIds(db(), 1)) as [number];
    await recorder.record(url, 0);
    hanging.hang();
    const start = performance.now();
    await Promise.all([recorder.record(url, 0), nextTurn().then(() => recorder.record(url, 0))]);
    const waitedMs = performance.now() - start;
    // Longer than the deadline, and shorter than a command timeout.
    expect(waitedMs).toBeGreaterThan(95);
    expect(waitedMs).toBeLessThan(1_000);
    for (let i = 0; i < 20; i++) expect(await isWaiting(recorder.record(url, 0))).toBe(false);
    await waitUntil(
      'PostgreSQL has counted the clicks',
      async () => sum(await readCounts(db(), [url])) >= 22,
    );

    hanging.resume();
    await waitForPath(recorder, true);
    expect(await isWaiting(recorder.record(url, 0))).toBe(true);
    await settle();
    await flush();
    expect(await readCounts(db(), [url])).toEqual([24]);
  } finally {
    hanging.resume();
    await closeRedis(client);
    await hanging.stop();
  }
});

test('while Redis rejects clicks, one batch grows and is counted within about a second', async () => {
  const { recorder, stores, straight } = openRecorder();
  const [url] = (await createUrlIds(db(), 1)) as [number];
  stores.redis = 'is away';
  const start = performance.now();
  await recorder.record(url, 0);
  for (let i = 0; i < 300; i++) {
    await recorder.record(url, 0);
    await nextTurn();
  }
  await waitUntil('all clicks are counted', async () => (await readCounts(db(), [url]))[0] === 301, 2_000);
  // The rejected batch, and one per round.
  expect(straight.length).toBeLessThanOrEqual(3 + (performance.now() - start) / 1_000);
});

test('without stores, minutes are merged before clicks are dropped, and all are accounted for', async () => {
  const maxEntries = 50;
  const { recorder, stores, straight, settle } = openRecorder({ maxEntries });
  const urlIds = await createUrlIds(db(), 70);
  stores.redis = 'is away';
  stores.postgres = 'is away';
  await recorder.record(urlIds[0]!, 0);
  const record = async (ids: number[], minute: number) => {
    for (const id of ids) await recorder.record(id, minute * minuteMs);
  };
  // 40 short URLs in three minutes would be 120 entries.
  for (const minute of [1, 2, 3]) await record(urlIds.slice(0, 40), minute);
  expect(recorder.read()).toMatchObject({ recorded: 121, dropped: 0 });
  // There is room for 10 more entries; existing ones keep counting.
  for (const minute of [3, 4]) await record(urlIds, minute);
  expect(recorder.read()).toMatchObject({ recorded: 261, dropped: 40 });

  stores.postgres = 'answers';
  await waitUntil('PostgreSQL has counted the clicks', () => recorder.read().unconfirmed === 0);
  await settle();
  expect(await readCounts(db(), urlIds)).toEqual(
    urlIds.map((_, i) => (i === 0 ? 6 : i < 40 ? 5 : i < 50 ? 2 : 0)),
  );
  expect(Math.max(...straight.map((batch) => batch.clicks.length))).toBe(maxEntries);
  const { differing } = await readAudit(db());
  expect(differing.filter(({ producer }) => producer === recorder.producer)).toMatchObject([
    { accepted: 261, counted: 221 },
  ]);
});

test('with a full Redis and no PostgreSQL, waiting clicks stay within the limit', async () => {
  const maxEntries = 50;
  const { recorder, stores, straight, settle } = openRecorder({ maxEntries });
  const urlIds = await createUrlIds(db(), 200);
  stores.redis = 'is full';
  stores.postgres = 'is away';
  let count = 0;
  const end = performance.now() + 1_700;
  await waitUntil('the breaker has checked several times', async () => {
    for (const id of urlIds) await recorder.record(id, 0);
    count += urlIds.length;
    return performance.now() > end;
  });
  const { recorded, dropped } = recorder.read();
  expect(recorded).toBe(count);
  await settle();
  // Entries in the open batch, and in rejected ones.
  expect(countEntries(straight)).toBeLessThanOrEqual(2 * maxEntries);
  expect(sum(await readCounts(db(), urlIds))).toBe(recorded - dropped);
});

test('with no Redis and a read-only PostgreSQL, waiting clicks stay within the limit', async () => {
  const maxEntries = 50;
  const { recorder, stores, straight, settle } = openRecorder({ maxEntries });
  const urlIds = await createUrlIds(db(), 200);
  stores.redis = 'is away';
  stores.postgres = 'takes no writes';
  let recorded = 0;
  const end = performance.now() + 3_500;
  await waitUntil('recording has failed for some rounds', async () => {
    for (const id of urlIds) await recorder.record(id, 0);
    recorded += urlIds.length;
    return performance.now() > end;
  });
  const { dropped } = recorder.read();
  await settle();
  expect(countEntries(straight)).toBeLessThanOrEqual(2 * maxEntries);
  expect(sum(await readCounts(db(), urlIds))).toBe(recorded - dropped);
});

test('a drain sends the remaining clicks to Redis despite a hanging PostgreSQL', async () => {
  const { recorder, stores, flush } = openRecorder();
  const [url] = (await createUrlIds(db(), 1)) as [number];
  stores.redis = 'is away';
  await recorder.record(url, 0);
  stores.postgres = 'hangs';
  for (let i = 0; i < 10; i++) await recorder.record(url, 0);
  stores.redis = 'takes clicks';
  // Resolves while PostgreSQL still hangs.
  await recorder.drain();
  await flush();
  expect(await readCounts(db(), [url])).toEqual([11]);
});

test('a batch that has grown large without stores is sent as several batches', async () => {
  const { recorder, stores, straight, settle, flush } = openRecorder({ maxEntries: 200_000 });
  const [url] = (await createUrlIds(db(), 1)) as [number];
  stores.redis = 'is away';
  stores.postgres = 'is away';
  await recorder.record(url, 0);
  // More than the maximum number of function arguments.
  for (let id = 1; id <= 150_000; id++) void recorder.record(id === 1 ? url : 1e9 + id, 0);
  stores.redis = 'takes clicks';
  await waitForPath(recorder, true);
  await settle();
  expect(Math.max(...straight.map((batch) => batch.clicks.length))).toBe(5_000);
  await flush();
  const [{ clicks } = {}] = await db()('click_producers').where({ producer: recorder.producer });
  expect(clicks).toBe(150_001);
  expect(await readCounts(db(), [url])).toEqual([2]);
});

test('ten minutes without stores at 1,000 clicks/s need less than 12 MB and lose no click', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const readHeap = () => {
    collect();
    return process.memoryUsage().heapUsed / 1e6;
  };
  const urlIds = await createUrlIds(db(), 5_000);
  const { recorder, stores, straight } = openRecorder({ maxEntries: 100_000 });
  stores.redis = 'is away';
  stores.postgres = 'is away';
  await recorder.record(urlIds[0]!, 0);
  const before = readHeap();
  for (let second = 0; second < 600; second++) {
    for (let i = 0; i < 1_000; i++) {
      void recorder.record(urlIds[(second * 1_000 + i * 7) % 5_000]!, second * 1_000 + i);
    }
    await nextTurn();
  }
  const grown = readHeap() - before;
  expect(grown).toBeLessThan(12);
  expect(recorder.read()).toMatchObject({ recorded: 600_001, dropped: 0 });

  stores.postgres = 'answers';
  await waitUntil('PostgreSQL has counted the clicks', () => recorder.read().unconfirmed === 0);
  expect(sum(await readCounts(db(), urlIds))).toBe(600_001);
  expect(countEntries(straight)).toBeLessThanOrEqual(100_000);
});

/** Adds entries to a stream that no worker reads; their content does not matter. */
async function fillStream(key: string, count: number) {
  const pipeline = redis().pipeline();
  for (let i = 0; i < count; i++) pipeline.xadd(key, '*', 'x', '');
  await pipeline.exec();
}

test('beyond the stream limit, clicks go to PostgreSQL if available, otherwise to Redis', async () => {
  const { recorder, stores, streamKey, settle, flush } = openRecorder({ maxWaiting: 100 });
  const [url] = (await createUrlIds(db(), 1)) as [number];
  await fillStream(streamKey, 101);
  await waitForPath(recorder, false);
  for (let i = 0; i < 5; i++) expect(await isWaiting(recorder.record(url, 0))).toBe(false);
  await waitUntil('PostgreSQL has counted the clicks', async () => (await readCounts(db(), [url]))[0] === 5);
  expect(await redis().xlen(streamKey)).toBe(101);
  expect(recorder.read().usesRedis).toBe(false);

  stores.postgres = 'is away';
  await waitUntil('the outbox has noticed the outage', async () => {
    await recorder.record(url, 0);
    return recorder.read().usesRedis;
  });
  const before = await redis().xlen(streamKey);
  await recorder.record(url, 0);
  expect(await redis().xlen(streamKey)).toBe(before + 1);

  stores.postgres = 'answers';
  await waitForPath(recorder, false);
  const { recorded } = recorder.read();
  await settle();
  await flush();
  expect(await readCounts(db(), [url])).toEqual([recorded]);
});

test('while more than 10,000 batches wait, batches are larger and no answer is late', async () => {
  const ackMs = 5_000;
  const { recorder, streamKey, settle, flush } = openRecorder({ ackMs });
  const [url] = (await createUrlIds(db(), 1)) as [number];
  // Records clicks in 30 turns; resolves to the number of batches.
  const countBatches = async () => {
    const before = await redis().xlen(streamKey);
    const answers: Promise<void>[] = [];
    for (let i = 0; i < 30; i++) {
      answers.push(recorder.record(url, 0));
      await redis().ping();
    }
    await Promise.all(answers);
    return (await redis().xlen(streamKey)) - before;
  };
  const narrow = await countBatches();
  await fillStream(streamKey, 10_001);
  expect(narrow).toBeGreaterThan(10);
  await waitUntil('batches stay open longer', async () => (await countBatches()) <= narrow / 5);
  // A late answer would open the breaker.
  expect(recorder.read().usesRedis).toBe(true);
  await redis().del(streamKey);
  const { recorded } = recorder.read();
  await settle();
  await flush();
  expect(await readCounts(db(), [url])).toEqual([recorded]);
});

test('a lingering batch is sent within half the acknowledgement timeout', async () => {
  const { recorder, streamKey } = openRecorder({ ackMs: 80 });
  await fillStream(streamKey, 10_001);
  await waitUntil('batches stay open longer', async () => {
    const at = performance.now();
    await recorder.record(1, 0);
    return performance.now() - at > 15;
  });
  // A late answer opens the breaker. A slow machine may cause one; batches that linger too long cause it every time.
  await waitUntil('five consecutive answers are in time', async () => {
    for (let i = 0; i < 5; i++) {
      await recorder.record(1, 0);
      if (!recorder.read().usesRedis) return false;
    }
    return true;
  });
  await redis().del(streamKey);
});

test('without PostgreSQL, the oldest batches beyond the limit stay in Redis and are counted', async () => {
  const { recorder, stores, waiting, flush, settle, straight } = openRecorder({ maxEntries: 10 });
  const urlIds = await createUrlIds(db(), 40);
  stores.postgres = 'is away';
  for (const id of urlIds) await recorder.record(id, 0);
  expect(recorder.read()).toMatchObject({ recorded: 40, dropped: 0, unconfirmed: 40 });
  // Batches of the last seconds stay in any case.
  let more = 0;
  await waitUntil('the oldest batches are in Redis', async () => {
    await recorder.record(urlIds[0]!, 0);
    more += 1;
    return recorder.read().unconfirmed < 40 + more;
  });
  expect(await waiting()).toHaveLength(40 + more);
  await flush();
  await settle();
  expect(await readCounts(db(), urlIds)).toEqual(urlIds.map((_, i) => (i === 0 ? 1 + more : 1)));
  expect(straight).toEqual([]);
});

test('overdue batches in Redis are written to PostgreSQL and deleted from the stream', async () => {
  const { recorder, waiting, straight } = openRecorder();
  const [url] = (await createUrlIds(db(), 1)) as [number];
  await Promise.all([recorder.record(url, 0), recorder.record(url, 0)]);
  await recorder.record(url, 0);
  expect(await waiting()).toHaveLength(2);
  await waitUntil('no batch waits', async () => (await waiting()).length === 0);
  expect(await readCounts(db(), [url])).toEqual([3]);
  expect(straight).toHaveLength(2);
});

test('without acknowledgement no visitor waits for Redis, and clicks are counted', async () => {
  const { recorder, stores, waiting, flush, settle } = openRecorder({ waitsForAck: false });
  const [url] = (await createUrlIds(db(), 1)) as [number];
  for (let i = 0; i < 10; i++) expect(await isWaiting(recorder.record(url, 0))).toBe(false);
  await waitUntil(
    'the clicks are in Redis',
    async () => sum((await waiting()).map(({ clicks }) => clicks[0]!.count)) === 10,
  );
  stores.redis = 'is away';
  expect(await isWaiting(recorder.record(url, 0))).toBe(false);
  await flush();
  await settle();
  expect(await readCounts(db(), [url])).toEqual([11]);
});
