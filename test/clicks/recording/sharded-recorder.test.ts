import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { openClickStore } from '../../../src/analytics/click-store.ts';
import { isExact, readAudit } from '../../../src/clicks/ledger/audit.ts';
import { createClickRecorder } from '../../../src/clicks/recording/recorder.ts';
import { createShardedRecorder } from '../../../src/clicks/recording/sharded-recorder.ts';
import { createClickStream } from '../../../src/clicks/stream/stream.ts';
import { flushClicks } from '../../../workers/jobs/clicks/flush-clicks.ts';
import { createUrlIds, readCounts } from '../../support/clicks/clicks.ts';
import { createJobContext } from '../../support/job-context.ts';
import { uniquePrefix, useDatabase, useRedis } from '../../support/resources.ts';
import { waitUntil } from '../../support/wait-until.ts';

const { db } = useDatabase();
const { redis, prefix } = useRedis();
const shards = 4;

/** Opens a stream, and recorders on it as of several web processes. `isRedisAway` makes Redis reject all commands. */
function openStream() {
  const stores = { isRedisAway: false };
  const lines: string[] = [];
  const stream = createClickStream(redis(), { prefix: `${prefix}-${uniquePrefix()}`, shards });
  const store = openClickStore(db());
  const unlessAway =
    <Args extends unknown[], Result>(command: (...args: Args) => Promise<Result>) =>
    async (...args: Args) => {
      if (stores.isRedisAway) throw new Error('Redis is away');
      return await command(...args);
    };
  const log = pino({}, { write: (line) => void lines.push(line) });
  const openRecorder = () => {
    const recorder = createShardedRecorder(shards, (shard) =>
      createClickRecorder({
        stream: { ...stream, send: unlessAway(stream.send), length: unlessAway(stream.length) },
        store,
        waitsForAck: true,
        ackMs: 10_000,
        maxEntries: 1_000,
        keepMs: 30_000,
        maxWaiting: 1_000,
        shard,
        log,
      }),
    );
    onTestFinished(async () => await recorder.drain());
    return recorder;
  };
  const flush = async (...of: number[]) =>
    await flushClicks({ clickStream: stream, clickStore: store }, of, createJobContext());
  return { stores, lines, stream, openRecorder, flush };
}

test('all web processes record the clicks of a short URL in the same shard', async () => {
  const { stream, openRecorder, flush } = openStream();
  const [one, other] = [openRecorder(), openRecorder()];
  const urlIds = await createUrlIds(db(), 40);
  await Promise.all(
    urlIds.flatMap((id) => [one.record(id, Date.now()), other.record(id, Date.now()), one.record(id, 0)]),
  );
  const shardsOf = new Map<number, Set<number>>();
  for (let shard = 0; shard < shards; shard++) {
    const entries = await stream.readPending(shard);
    for (const { urlId } of entries.flatMap(({ batch }) => batch!.clicks))
      shardsOf.set(urlId, (shardsOf.get(urlId) ?? new Set()).add(shard));
  }
  expect([...shardsOf.keys()].toSorted((a, b) => a - b)).toEqual(urlIds);
  for (const of of shardsOf.values()) expect(of.size).toBe(1);
  expect(new Set([...shardsOf.values()].map(([shard]) => shard)).size).toBe(shards);
  expect(one.read()).toMatchObject({ recorded: 80, unconfirmed: shards, usesRedis: true });

  await flush(0, 1, 2, 3);
  expect(await readCounts(db(), urlIds)).toEqual(urlIds.map(() => 3));
  await waitUntil('all clicks are confirmed', () => one.read().confirmed === 80);
});

test('the flush of a shard does not wait for one that another worker has begun', async () => {
  const { openRecorder, flush } = openStream();
  const urlIds = await createUrlIds(db(), 8);
  const recorder = openRecorder();
  await Promise.all(urlIds.map(async (id) => await recorder.record(id, Date.now())));
  // Another worker has the locks of the short URLs of the first shard.
  const inFirst = urlIds.filter((id) => id % shards === 0);
  await db().transaction(async (trx) => {
    await trx('url_stats').whereIn('url_id', inFirst).forUpdate();
    expect(await flush(1, 2, 3)).toMatchObject({ flushed: 6, batches: 3 });
  });
  expect(await flush(0)).toMatchObject({ flushed: 2, batches: 1 });
  expect(await readCounts(db(), urlIds)).toEqual(urlIds.map(() => 1));
});

test('while Redis is away every shard writes to PostgreSQL, with one log line in all', async () => {
  const { stores, lines, openRecorder } = openStream();
  const recorder = openRecorder();
  const urlIds = await createUrlIds(db(), 8);
  stores.isRedisAway = true;
  const recordEach = async () =>
    await Promise.all(urlIds.map(async (id) => await recorder.record(id, Date.now())));
  await recordEach();
  await recordEach();
  expect(recorder.read()).toMatchObject({ recorded: 16, dropped: 0, usesRedis: false });
  await waitUntil('all clicks are confirmed', () => recorder.read().confirmed === 16);
  stores.isRedisAway = false;
  await waitUntil('every shard uses Redis', () => recorder.read().usesRedis);
  await recordEach();
  await recorder.drain();
  expect(await readCounts(db(), urlIds)).toEqual(urlIds.map(() => 3));
  expect(isExact(await readAudit(db()))).toBe(true);
  expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual([
    'failed to send clicks to Redis, writing them to PostgreSQL',
    'resumed sending clicks to Redis',
  ]);
});
