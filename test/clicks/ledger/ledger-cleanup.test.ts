import { v7 as uuidv7 } from 'uuid';
import { beforeEach, expect, test } from 'vitest';
import { openClickStore } from '../../../src/analytics/click-store.ts';
import { isExact, readAudit } from '../../../src/clicks/ledger/audit.ts';
import { createClickRecorder } from '../../../src/clicks/recording/recorder.ts';
import { createClickStream } from '../../../src/clicks/stream/stream.ts';
import { createUrlCleanupStore } from '../../../src/urls/store/cleanup-store.ts';
import {
  countDeadlocks,
  createUrlIds,
  resetLedger,
  makeBatch,
  readCounts,
  ageProducer,
} from '../../support/clicks/clicks.ts';
import { untilLocked } from '../../support/locks.ts';
import { silentLog, uniquePrefix, useDatabase, useRedis } from '../../support/resources.ts';
import { waitUntil } from '../../support/wait-until.ts';

const { db } = useDatabase();
const { redis, prefix } = useRedis();
const idleDays = 90;
const hourMs = 3_600_000;

beforeEach(async () => await resetLedger(db()));

/** Creates the ID of a producer of that age. */
const createProducerOfAge = (days: number) => uuidv7({ msecs: Date.now() - days * 24 * hourMs });
const cleanUp = async () => await openClickStore(db()).removeIdleProducers(idleDays, 1_000);
const readProducers = async (): Promise<string[]> =>
  await db()('click_producers').orderBy('producer').pluck('producer');

test('a producer without a sign of life for 90 days is removed, and the audit stays exact', async () => {
  const store = openClickStore(db());
  const [url] = (await createUrlIds(db(), 1)) as [number];
  const [silent, heardOf] = [createProducerOfAge(200), createProducerOfAge(199)];
  await store.apply([
    makeBatch(silent, 1, url, 5),
    makeBatch(heardOf, 1, url, 7),
    makeBatch(silent, 3, url, 5),
  ]);
  await store.apply([makeBatch(silent, 2, url, 5)]);
  await ageProducer(db(), silent, 90.01);
  await ageProducer(db(), heardOf, 89.99);
  const before = await readAudit(db());
  expect(isExact(before)).toBe(true);
  expect(before.accepted).toBe(22);
  expect(before.counted).toBe(22);
  expect(before.onUrls).toBe(22);

  expect(await store.countIdleProducers(idleDays)).toBe(1);
  expect(await cleanUp()).toBe(1);
  expect(await readProducers()).toEqual([heardOf]);
  expect(await readAudit(db())).toEqual({ ...before, producers: 1, removed: { accepted: 15, counted: 15 } });
  expect(isExact(await readAudit(db()))).toBe(true);
  expect(await store.countIdleProducers(idleDays)).toBe(0);
  expect(await cleanUp()).toBe(0);
});

test('uncounted clicks of a removed producer stay missing in the audit', async () => {
  const store = openClickStore(db());
  const [url] = (await createUrlIds(db(), 1)) as [number];
  const silent = createProducerOfAge(200);
  await store.apply([makeBatch(silent, 1, url, 5)]);
  await store.reportAccepted(silent, 8);
  await ageProducer(db(), silent, 91);
  await cleanUp();
  const audit = await readAudit(db());
  expect(isExact(audit)).toBe(false);
  expect(audit.removed).toEqual({ accepted: 8, counted: 5 });
  expect(audit.differing).toEqual([]);
});

test('a late batch of a removed producer becomes one dead letter and is never counted', async () => {
  const store = openClickStore(db());
  const [url] = (await createUrlIds(db(), 1)) as [number];
  const [silent, living] = [createProducerOfAge(200), uuidv7()];
  await store.apply([makeBatch(silent, 1, url, 5)]);
  await ageProducer(db(), silent, 91);
  await cleanUp();

  const late = makeBatch(silent, 2, url, 3);
  expect(await store.apply([late, makeBatch(living, 1, url, 2)])).toMatchObject({
    batches: 1,
    clicks: 2,
    duplicates: 0,
    deadLetters: 1,
  });
  await Promise.all([
    store.apply([late]),
    store.apply([late]),
    store.apply([late, makeBatch(living, 2, url, 2)]),
  ]);
  expect(await readCounts(db(), [url])).toEqual([9]);
  expect(await readProducers()).toEqual([living]);
  const deadLetters = await db()('click_dead_letters').select('source', 'reason', 'payload');
  expect(deadLetters).toEqual([
    { source: `batch ${silent} 2`, reason: 'producer removed', payload: JSON.stringify(late) },
  ]);
  const audit = await readAudit(db());
  expect(audit).toMatchObject({ removed: { accepted: 8, counted: 5 }, deadLetters: 1, onUrls: 9 });
  expect(isExact(audit)).toBe(false);
});

test('a producer that reports is kept, even without clicks', async () => {
  const store = openClickStore(db());
  const [url] = (await createUrlIds(db(), 1)) as [number];
  const [quiet, silent] = [createProducerOfAge(200), createProducerOfAge(199)];
  await store.registerProducer(quiet);
  await store.registerProducer(silent);
  await ageProducer(db(), quiet, 91);
  await ageProducer(db(), silent, 91);
  await store.reportAccepted(quiet, 0);
  expect(await cleanUp()).toBe(1);
  expect(await readProducers()).toEqual([quiet]);
  expect(await store.apply([makeBatch(quiet, 1, url)])).toMatchObject({ batches: 1, deadLetters: 0 });
});

test('an unknown producer is counted only if it is newer than all removed ones', async () => {
  const store = openClickStore(db());
  const [url] = (await createUrlIds(db(), 1)) as [number];
  const [older, removed, removedToo, younger] = [201, 300, 200, 199].map(createProducerOfAge) as [
    string,
    string,
    string,
    string,
  ];
  await store.apply([makeBatch(removed, 1, url), makeBatch(removedToo, 1, url)]);
  for (const producer of [removed, removedToo]) await ageProducer(db(), producer, 91);
  await cleanUp();
  const batches = [older, removed, younger, uuidv7()].map((producer) => makeBatch(producer, 1, url));
  expect(await store.apply(batches)).toMatchObject({ batches: 2, duplicates: 0, deadLetters: 2 });
  expect(await readProducers()).toEqual([younger, batches[3]!.producer]);
  expect(await readCounts(db(), [url])).toEqual([4]);
});

test('a late batch during a clean-up is counted once or dead-lettered, never both', async () => {
  const store = openClickStore(db());
  const [url] = (await createUrlIds(db(), 1)) as [number];
  const deadlocks = await countDeadlocks(db());
  const fates = new Set<string>();
  let counted = 0;
  for (let round = 0; round < 40; round++) {
    const producers = Array.from({ length: 4 }, () => createProducerOfAge(200 - round));
    await store.apply(producers.map((producer) => makeBatch(producer, 1, url)));
    for (const producer of producers) await ageProducer(db(), producer, 91);
    // Batch 1 of each producer is in the ledger, and must not be counted after the removal.
    const again = producers.flatMap((producer) => [1, 2].map((seq) => makeBatch(producer, seq, url)));
    const cleanUpAfter = async (queries: number) => {
      for (let i = 0; i < queries; i++) await db().raw('select 1');
      await cleanUp();
    };
    const [, ...applied] = await Promise.all([
      cleanUpAfter(round % 10),
      store.apply(again),
      store.apply(again.toReversed()),
      cleanUpAfter(round % 7),
    ]);
    counted += 4 + applied.reduce((sum, result) => sum + (result?.clicks ?? 0), 0);
    for (const producer of producers) {
      const [row] = await db()('click_producers').where({ producer });
      const deadLetters = await db()('click_dead_letters').where('source', 'like', `batch ${producer}%`);
      const late = deadLetters.some(({ source }) => source === `batch ${producer} 2`);
      fates.add(
        row
          ? `counted ${row.clicks}, dead letters ${deadLetters.length}`
          : `removed, late one dead-lettered: ${late}`,
      );
    }
    expect(await readCounts(db(), [url])).toEqual([counted]);
  }
  expect(await countDeadlocks(db())).toBe(deadlocks);
  expect([...fates].toSorted()).toEqual([
    'counted 2, dead letters 0',
    'removed, late one dead-lettered: true',
  ]);
});

test('a flush that waits for a counter does not lock the totals, which the holder updates', async () => {
  const store = openClickStore(db());
  const [url] = (await createUrlIds(db(), 1)) as [number];
  const silent = createProducerOfAge(200);
  await store.apply([makeBatch(silent, 1, url)]);
  await ageProducer(db(), silent, 91);
  await cleanUp();

  // The statements of a purge, in order.
  const purge = await db().transaction();
  await purge.raw('select from url_stats where url_id = ? for update', [url]);
  const flush = store.apply([makeBatch(silent, 2, url), makeBatch(uuidv7(), 1, url)]);
  await untilLocked(db());
  await purge.raw('update click_ledger_totals set purged_clicks = purged_clicks + 0');
  await purge.commit();
  expect(await flush).toMatchObject({ batches: 1, deadLetters: 1 });
});

test('concurrent flushes, purges and clean-ups never deadlock and lose no click', async () => {
  const store = openClickStore(db());
  const cleanupStore = createUrlCleanupStore(db());
  const deadlocks = await countDeadlocks(db());
  let accepted = 0;
  let late = 0;
  for (let round = 0; round < 25; round++) {
    const urlIds = await createUrlIds(db(), 12);
    const silent = createProducerOfAge(300 - round);
    await store.apply([makeBatch(silent, 1, urlIds[0]!)]);
    await ageProducer(db(), silent, 91);
    await cleanUp();
    await db()('urls')
      .whereIn('id', urlIds.slice(0, 6))
      .update({ is_active: false, deleted_at: new Date(Date.now() - 48 * hourMs) });
    // Each has a late batch, and clicks on short URLs that are being purged.
    const flush = async (order: number[], seq: number) =>
      await store.apply([
        makeBatch(silent, seq, urlIds[0]!),
        ...order.map((id) => makeBatch(uuidv7(), 1, id)),
      ]);
    await Promise.all([
      flush(urlIds, 2),
      cleanupStore.purge(new Date(), 1, 1, 100),
      flush(urlIds.toReversed(), 3),
      flush(urlIds, 4),
      cleanUp(),
    ]);
    accepted += 1 + 3 * 12;
    late += 3;
  }
  expect(await countDeadlocks(db())).toBe(deadlocks);
  const audit = await readAudit(db());
  expect(audit.accepted).toEqual(accepted + late);
  expect(audit.counted).toBe(accepted);
  expect(audit.deadLetters).toBe(late);
  expect(audit.counted).toBe(audit.onUrls + audit.purged);
  expect(audit.purged).toBeGreaterThan(0);
});

test('a removed producer that reports gets no new row, so nothing is counted twice', async () => {
  const store = openClickStore(db());
  const [url] = (await createUrlIds(db(), 1)) as [number];
  const silent = createProducerOfAge(200);
  await store.apply([makeBatch(silent, 1, url, 3)]);
  await ageProducer(db(), silent, 91);
  expect(await cleanUp()).toBe(1);
  await store.reportAccepted(silent, 3);
  expect(await readProducers()).toEqual([]);
  expect(await store.apply([makeBatch(silent, 1, url, 3)])).toMatchObject({ batches: 0, deadLetters: 1 });
});

test('clock skew of a removed producer does not reject new producers', async () => {
  const store = openClickStore(db());
  const [url] = (await createUrlIds(db(), 1)) as [number];
  const [ahead, behind] = [createProducerOfAge(-700), createProducerOfAge(5_000)];
  await store.apply([makeBatch(ahead, 1, url)]);
  await ageProducer(db(), ahead, 91);
  expect(await cleanUp()).toBe(1);
  await store.registerProducer(behind);
  expect(await store.apply([makeBatch(uuidv7(), 1, url), makeBatch(behind, 1, url)])).toMatchObject({
    batches: 2,
    deadLetters: 0,
  });
});

test('a removed producer that registers again in a later epoch is counted once', async () => {
  const [url] = (await createUrlIds(db(), 1)) as [number];
  let isConfirming = true;
  const stream = createClickStream(redis(), { prefix: `${prefix}-${uniquePrefix()}`, shards: 1 });
  const store = openClickStore(db());
  const recorder = createClickRecorder({
    stream,
    // A process that was paused since its last round does not notice this.
    store: {
      ...store,
      findApplied: async (...args) => (isConfirming ? await store.findApplied(...args) : []),
    },
    waitsForAck: true,
    ackMs: 60_000,
    maxEntries: 1_000,
    keepMs: 30_000,
    maxWaiting: 1_000,
    log: silentLog,
  });
  try {
    await waitUntil('the producer is registered', async () =>
      (await readProducers()).includes(recorder.producer),
    );
    isConfirming = false;
    await recorder.record(url, 0);
    await store.apply((await stream.readPending(0)).map(({ batch }) => batch!));
    await ageProducer(db(), recorder.producer, 91);
    await db()('click_producers').where({ producer: recorder.producer }).update({ accepted: 1 });
    expect(await cleanUp()).toBe(1);
    // The clean-up goes by the creation time of the producer, long ago for an idle one.
    await db()('click_ledger_totals').update({ producers_removed_through: new Date() });
    recorder.reportAgain();
  } finally {
    await recorder.drain();
  }
  expect(await readProducers()).toEqual([]);
  expect(await readCounts(db(), [url])).toEqual([1]);
});
