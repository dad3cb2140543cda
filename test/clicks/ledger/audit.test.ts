import { v7 as uuidv7 } from 'uuid';
import { beforeEach, expect, test } from 'vitest';
import { openClickStore } from '../../../src/analytics/click-store.ts';
import { isExact, isExactSince, readAudit } from '../../../src/clicks/ledger/audit.ts';
import { createUrlCleanupStore } from '../../../src/urls/store/cleanup-store.ts';
import { createUrlIds, resetLedger, makeBatch } from '../../support/clicks/clicks.ts';
import { useDatabase } from '../../support/resources.ts';
import { connectExternalClient } from '../../support/urls/external-client.ts';

const database = useDatabase();
const { db } = database;
const dayMs = 24 * 3_600_000;

beforeEach(async () => await resetLedger(db()));

/** Purges short URLs, like the clean-up after their retention. */
async function purge(urlIds: number[]) {
  const deletedAt = new Date(Date.now() - 2 * dayMs);
  await db()('urls').whereIn('id', urlIds).update({ is_active: false, deleted_at: deletedAt });
  expect(await createUrlCleanupStore(db()).purge(new Date(), 1, 1, 100)).toBe(urlIds.length);
}

test('the audit of a database without clicks is exact and all totals are zero', async () => {
  const audit = await readAudit(db());
  expect(audit).toEqual({
    producers: 0,
    accepted: 0,
    counted: 0,
    removed: { accepted: 0, counted: 0 },
    onUrls: 0,
    imported: 0,
    purged: 0,
    differing: [],
    deadLetters: 0,
  });
  expect(isExact(audit)).toBe(true);
});

test('after out-of-order and repeated batches, accepted, counted and counters match', async () => {
  const store = openClickStore(db());
  const [one, two] = (await createUrlIds(db(), 2)) as [number, number];
  const [producer, other] = [uuidv7(), uuidv7()];
  const batches = [3, 1, 2].map((seq) => makeBatch(producer, seq, seq === 2 ? two : one, 4));
  for (const batch of [...batches, ...batches]) await store.apply([batch]);
  await store.apply([makeBatch(other, 1, two, 5)]);
  await store.reportAccepted(producer, 12);
  const audit = await readAudit(db());
  expect(audit).toMatchObject({ producers: 2, accepted: 17, counted: 17, onUrls: 17, purged: 0 });
  expect(isExact(audit)).toBe(true);
});

test('purged short URLs, and later clicks on them, leave the audit exact', async () => {
  const store = openClickStore(db());
  const producer = uuidv7();
  const [stays, goes, unclicked] = (await createUrlIds(db(), 3)) as [number, number, number];
  await store.apply([makeBatch(producer, 1, stays, 2), makeBatch(producer, 2, goes, 2)]);
  await purge([goes, unclicked]);
  expect(await readAudit(db())).toMatchObject({ accepted: 4, counted: 4, onUrls: 2, purged: 2 });

  await store.apply([
    makeBatch(producer, 3, goes, 2),
    makeBatch(producer, 4, unclicked, 2),
    makeBatch(producer, 5, stays, 2),
  ]);
  const audit = await readAudit(db());
  expect(audit).toMatchObject({ accepted: 10, counted: 10, onUrls: 4, purged: 6, differing: [] });
  expect(isExact(audit)).toBe(true);
});

test('concurrent purges and flushes of the same short URLs leave the audit exact', async () => {
  const store = openClickStore(db());
  const cleanupStore = createUrlCleanupStore(db());
  for (let round = 0; round < 25; round++) {
    const urlIds = await createUrlIds(db(), 10);
    await db()('urls')
      .whereIn('id', urlIds)
      .update({ is_active: false, deleted_at: new Date(Date.now() - 2 * dayMs) });
    const flush = async (ids: number[]) => await store.apply(ids.map((id) => makeBatch(uuidv7(), 1, id, 3)));
    await Promise.all([
      flush(urlIds),
      cleanupStore.purge(new Date(), 1, 1, 5),
      flush(urlIds.toReversed()),
      cleanupStore.purge(new Date(), 1, 1, 100),
    ]);
    await cleanupStore.purge(new Date(), 1, 1, 100);
  }
  const audit = await readAudit(db());
  expect(audit).toMatchObject({ accepted: 1_500, counted: 1_500, onUrls: 0, purged: 1_500 });
  expect(isExact(audit)).toBe(true);
});

test('while clicks are counted, the counters match the ledger in each snapshot', async () => {
  const store = openClickStore(db());
  const urlIds = await createUrlIds(db(), 5);
  const producer = uuidv7();
  let left = 100;
  const count = async () => {
    while (left > 0) {
      left -= 1;
      await store.apply(urlIds.map((id, i) => makeBatch(producer, 5 * left + i + 1, id)));
    }
  };
  const seen: number[] = [];
  const look = async () => {
    while ((seen.at(-1) ?? 0) < 500) {
      const { counted, onUrls } = await readAudit(db());
      expect(onUrls).toBe(counted);
      seen.push(counted);
    }
  };
  await Promise.all([count(), count(), look()]);
  expect(new Set(seen).size).toBeGreaterThan(5);
});

test('the audit lists producers with missing clicks, the largest difference first', async () => {
  const store = openClickStore(db());
  const [url] = (await createUrlIds(db(), 1)) as [number];
  const [one, two, exact] = [uuidv7(), uuidv7(), uuidv7()];
  await store.apply([makeBatch(one, 1, url, 2), makeBatch(two, 1, url, 2), makeBatch(exact, 1, url, 2)]);
  await store.reportAccepted(one, 5);
  await store.reportAccepted(two, 11);
  // A late report does not decrease the number.
  await store.reportAccepted(two, 1);
  const audit = await readAudit(db());
  expect(isExact(audit)).toBe(false);
  expect(audit.differing).toMatchObject([
    { producer: two, accepted: 11, counted: 2 },
    { producer: one, accepted: 5, counted: 2 },
  ]);
  expect(Math.abs(audit.differing[0]!.lastSeenAt.getTime() - Date.now())).toBeLessThan(60_000);
});

test.each([
  ['a counter that somebody raised', 'update url_stats set click_count = click_count + 1'],
  ['a counter that somebody lowered', 'update url_stats set click_count = click_count - 1'],
  ['a short URL that somebody removed by hand', 'delete from urls'],
  [
    'a ledger with too many clicks',
    'update click_producers set clicks = clicks + 1, accepted = accepted + 1',
  ],
  ['a ledger with fewer clicks than accepted', 'update click_producers set clicks = clicks - 1'],
  [
    'a difference of removed producers',
    'update click_ledger_totals set removed_accepted = removed_accepted + 1',
  ],
])('the audit finds %s', async (_, tamper) => {
  const [url] = (await createUrlIds(db(), 1)) as [number];
  await openClickStore(db()).apply([makeBatch(uuidv7(), 1, url, 3)]);
  expect(isExact(await readAudit(db()))).toBe(true);
  await db().raw(tamper);
  expect(isExact(await readAudit(db()))).toBe(false);
});

test('with ongoing traffic, the audit is exact since a reading once its clicks are counted', async () => {
  const store = openClickStore(db());
  const [url] = (await createUrlIds(db(), 1)) as [number];
  const [one, two] = [uuidv7(), uuidv7()];
  await store.apply([makeBatch(one, 1, url, 5), makeBatch(two, 1, url, 5)]);
  await store.reportAccepted(one, 10);
  const first = await readAudit(db());
  expect(isExactSince(first, first)).toBe(false);
  await store.reportAccepted(two, 10);
  expect(isExactSince(first, await readAudit(db()))).toBe(false);
  await store.apply([makeBatch(one, 2, url, 5)]);
  await store.reportAccepted(one, 15);
  const then = await readAudit(db());
  expect(isExact(then)).toBe(false);
  expect(isExactSince(first, then)).toBe(true);
  // One click too many is never exact.
  await db()('click_producers').where({ producer: one }).update({ clicks: 16 });
  expect(isExactSince(first, await readAudit(db()))).toBe(false);
});

test('newer clicks do not make up for a missing older batch', async () => {
  const store = openClickStore(db());
  const [url] = (await createUrlIds(db(), 1)) as [number];
  const producer = uuidv7();
  await store.apply([makeBatch(producer, 1, url, 5)]);
  await store.reportAccepted(producer, 10);
  const first = await readAudit(db());
  await store.apply([makeBatch(producer, 3, url, 5), makeBatch(producer, 4, url, 5)]);
  await store.reportAccepted(producer, 25);
  expect(isExactSince(first, await readAudit(db()))).toBe(false);
  await store.apply([makeBatch(producer, 2, url, 5)]);
  expect(isExactSince(first, await readAudit(db()))).toBe(true);
});

test('clicks on short URLs that another program deletes or truncates stay in the audit', async () => {
  const store = openClickStore(db());
  const [one, two, three] = (await createUrlIds(db(), 3)) as [number, number, number];
  const producer = uuidv7();
  await store.apply([one, two, three].map((urlId, i) => makeBatch(producer, i + 1, urlId, 5)));
  await store.reportAccepted(producer, 15);
  const external = await connectExternalClient(database.url());
  const look = async () => {
    const audit = await readAudit(db());
    return [audit.onUrls, audit.purged, isExact(audit)];
  };
  expect(await look()).toEqual([15, 0, true]);
  await external.run(`delete from urls where id in (${one}, ${two})`);
  expect(await look()).toEqual([5, 10, true]);
  await external.run('truncate urls cascade');
  expect(await look()).toEqual([0, 15, true]);
  await external.close();
});
