import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { openClickStore } from '../../../src/analytics/click-store.ts';
import type { Batch } from '../../../src/clicks/click-batch.ts';
import { type ClickStore } from '../../../src/clicks/ledger/apply.ts';
import { type ClickRecorder, createClickRecorder } from '../../../src/clicks/recording/recorder.ts';
import { decodeBatch } from '../../../src/clicks/stream/batch-codec.ts';
import { type ClickStream, createClickStream } from '../../../src/clicks/stream/stream.ts';
import { onlyRow } from '../../../src/storage/postgres/postgres.ts';
import { silentLog, uniquePrefix, useDatabase, useRedis } from '../../support/resources.ts';
import { waitUntil } from '../../support/wait-until.ts';

const { db } = useDatabase();
const { redis, prefix } = useRedis();
const never = 60_000;
const recorders: ClickRecorder[] = [];

afterEach(async () => {
  await Promise.all(recorders.splice(0).map((recorder) => recorder.drain()));
});

type Send = ClickStream['send'];
type Apply = ClickStore['apply'];

/** Opens a recorder on a stream and PostgreSQL; `sendBy` and `applyBy` intercept the calls. */
function openRecorder({
  ackMs = never,
  sendBy = (send: Send): Send => send,
  applyBy = (apply: Apply): Apply => apply,
} = {}) {
  const stream = createClickStream(redis(), { prefix: `${prefix}-${uniquePrefix()}`, shards: 1 });
  const store = openClickStore(db());
  const recorder = createClickRecorder({
    stream: { ...stream, send: sendBy(stream.send) },
    store: { ...store, apply: applyBy(store.apply) },
    waitsForAck: true,
    ackMs,
    maxEntries: 1_000,
    keepMs: 30_000,
    maxWaiting: 1_000,
    log: silentLog,
  });
  recorders.push(recorder);
  const waiting = async () => (await stream.readPending(0)).map((entry) => entry.batch!);
  /** Flushes like a worker that crashes before it deletes the entries. */
  const flush = async () => await store.apply(await waiting());
  return { recorder, waiting, flush };
}

async function createUrl(): Promise<number> {
  const { id } = onlyRow(
    await db().raw<{ rows: { id: number }[] }>(
      `with u as (
         insert into urls (short_code, original_url, code_is_generated)
         values (gen_random_uuid()::text, 'https://example.com/', true) returning id
       ), s as (insert into url_stats (url_id) select id from u)
       select id from u`,
    ),
  );
  return id;
}

const readCount = async (id: number): Promise<number> =>
  (await db()('url_stats').where({ url_id: id }).first())!.click_count;

/** A gate that delays calls until it is opened. */
function createGate() {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const started: Batch[] = [];
  return {
    open,
    started,
    sendBy:
      (send: Send): Send =>
      async (batch) => {
        started.push('bytes' in batch ? decodeBatch(batch.bytes)! : batch);
        await opened;
        return await send(batch);
      },
  };
}

const nextTurn = async () => await new Promise((resolve) => setImmediate(resolve));
const total = (batch: Batch) => batch.clicks.reduce((sum, click) => sum + click.count, 0);

test('a single click is in Redis when it resolves, long before the deadline', async () => {
  const { recorder, waiting } = openRecorder();
  await recorder.record(7, 1_000);
  expect(await waiting()).toEqual([
    { producer: recorder.producer, seq: 1, accepted: 1, clicks: [{ urlId: 7, count: 1, lastAtMs: 1_000 }] },
  ]);
});

test('clicks of one event loop turn form one batch, and those of the next turn another', async () => {
  const { recorder, waiting } = openRecorder();
  await Promise.all([7, 8, 7, 7].map((urlId) => recorder.record(urlId, 1_000)));
  await recorder.record(7, 1_000);
  const batches = await waiting();
  expect(batches.map((batch) => [batch.seq, total(batch)])).toEqual([
    [1, 4],
    [2, 1],
  ]);
  expect(batches[0]!.clicks).toContainEqual({ urlId: 7, count: 3, lastAtMs: 1_000 });
});

test('the next batch grows while one is in transit, and is sent when that one arrives', async () => {
  const gate = createGate();
  const { recorder, waiting } = openRecorder(gate);
  const clicks = [recorder.record(1, 0)];
  await waitUntil('the first batch is in transit', () => gate.started.length === 1);
  for (let i = 0; i < 50; i++) {
    clicks.push(recorder.record(2 + (i % 5), 0));
    await nextTurn();
  }
  expect(gate.started).toHaveLength(1);
  gate.open();
  await Promise.all(clicks);
  expect((await waiting()).map(total)).toEqual([1, 50]);
});

test('a batch of 200 entries is sent while another one is in transit', async () => {
  const gate = createGate();
  const { recorder, waiting } = openRecorder(gate);
  const clicks = [recorder.record(1, 0)];
  await waitUntil('the first batch is in transit', () => gate.started.length === 1);
  for (let urlId = 1; urlId <= 450; urlId++) clicks.push(recorder.record(urlId, 0));
  expect(gate.started.map((batch) => batch.clicks.length)).toEqual([1, 200, 200]);
  gate.open();
  await Promise.all(clicks);
  expect((await waiting()).map(total).toSorted((a, b) => a - b)).toEqual([1, 50, 200, 200]);
});

test('a click in a hanging batch resolves at the deadline, later ones at once; all are counted', async () => {
  const gate = createGate();
  const { recorder, waiting } = openRecorder({ ...gate, ackMs: 30 });
  const url = await createUrl();
  const start = performance.now();
  await Promise.all([recorder.record(url, 0), recorder.record(url, 0)]);
  // A timer may fire up to a millisecond early.
  expect(performance.now() - start).toBeGreaterThan(28);
  for (let i = 0; i < 10; i++) {
    const answer = recorder.record(url, 0).then(() => 'answered');
    expect(await Promise.race([answer, nextTurn()])).toBe('answered');
  }
  await waitUntil('PostgreSQL has counted the clicks', async () => (await readCount(url)) === 12);
  expect(await waiting()).toEqual([]);
  gate.open();
});

test('a click that Redis rejects resolves at once and is counted in PostgreSQL', async () => {
  const { recorder, waiting } = openRecorder({ sendBy: () => async () => Promise.reject(new Error('away')) });
  const url = await createUrl();
  await recorder.record(url, 0);
  await waitUntil('PostgreSQL has counted the click', async () => (await readCount(url)) === 1);
  expect(await waiting()).toEqual([]);
});

test('a batch that Redis stored without a reply is counted once, despite arriving twice', async () => {
  const { recorder, flush } = openRecorder({
    sendBy: (send) => async (batch) => {
      await send(batch);
      throw new Error('the answer was lost');
    },
  });
  const url = await createUrl();
  await Promise.all([1, 2, 3].map(() => recorder.record(url, 0)));
  await recorder.drain();
  expect(await readCount(url)).toBe(3);
  // The drain has sent it again.
  expect(await flush()).toMatchObject({ batches: 0, duplicates: 2 });
  expect(await readCount(url)).toBe(3);
});

test('without stores clicks wait, and a drain waits until PostgreSQL is back', async () => {
  let away = true;
  let attempts = 0;
  const { recorder } = openRecorder({
    sendBy: () => async () => Promise.reject(new Error('away')),
    applyBy: (apply) => async (batches) => {
      attempts += 1;
      if (away) throw new Error('away too');
      return await apply(batches);
    },
  });
  const url = await createUrl();
  for (let i = 0; i < 5; i++) await recorder.record(url, 0);
  const drained = recorder.drain();
  await waitUntil('an attempt has failed', () => attempts > 0);
  expect(await readCount(url)).toBe(0);
  away = false;
  await drained;
  expect(await readCount(url)).toBe(5);
});

test('a click that Redis rejects during a round is counted by the next round', async () => {
  let applying = 0;
  let release!: () => void;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const { recorder } = openRecorder({
    sendBy: () => async () => Promise.reject(new Error('away')),
    applyBy: (apply) => async (batches) => {
      applying += 1;
      await released;
      return await apply(batches);
    },
  });
  const url = await createUrl();
  await recorder.record(url, 0);
  await waitUntil('PostgreSQL is counting', () => applying === 1);
  await recorder.record(url, 0);
  release();
  await recorder.drain();
  expect(await readCount(url)).toBe(2);
});

test('without PostgreSQL, a drain ends once Redis has all clicks', async () => {
  const { recorder, waiting } = openRecorder({
    applyBy: () => async () => Promise.reject(new Error('away')),
  });
  await recorder.record(9, 0);
  await recorder.drain();
  expect((await waiting()).map(total)).toEqual([1]);
});

test('a drain writes the open batch to PostgreSQL and leaves nothing in the stream', async () => {
  const { recorder, waiting } = openRecorder();
  const url = await createUrl();
  const click = recorder.record(url, 0);
  await recorder.drain();
  await click;
  expect(await readCount(url)).toBe(1);
  expect(await waiting()).toEqual([]);
});

test('for any failures of Redis and PostgreSQL, each click is counted exactly once', async () => {
  const url = await createUrl();
  let expected = 0;
  const fate = fc.constantFrom('stored', 'stored without a reply', 'rejected', 'acknowledged and lost');
  const fates = fc.array(fate, { minLength: 1, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(fates, fc.array(fc.nat(4), { minLength: 1, maxLength: 25 }), async (outcomes, turns) => {
      let sent = 0;
      const { recorder, flush } = openRecorder({
        sendBy: (send) => async (batch) => {
          const outcome = outcomes[(sent += 1) % outcomes.length];
          const isStored = outcome === 'stored' || outcome === 'stored without a reply';
          const entryId = isStored ? await send(batch) : '0-1';
          if (outcome === 'stored without a reply' || outcome === 'rejected')
            throw new Error(`the batch was ${outcome}`);
          return entryId;
        },
      });
      const clicks: Promise<void>[] = [];
      for (const [i, count] of turns.entries()) {
        for (let k = 0; k < count; k++) clicks.push(recorder.record(url, 0));
        expected += count;
        await nextTurn();
        if (i % 7 === 3) await flush();
      }
      await Promise.all(clicks);
      await recorder.drain();
      await Promise.all([flush(), flush()]);
      expect(await readCount(url)).toBe(expected);
    }),
    { numRuns: 40 },
  );
});
