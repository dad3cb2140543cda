import { beforeEach, expect, test } from 'vitest';
import { openClickStore } from '../../../src/analytics/click-store.ts';
import { createClickFeedStore } from '../../../src/analytics/feed/feed-store.ts';
import { createAnalyticsPartitions } from '../../../src/analytics/partitions/partitions.ts';
import { createClickEraser } from '../../../src/analytics/rollups/erase-clicks.ts';
import { createClickSegments } from '../../../src/analytics/rollups/segments.ts';
import type { ClickCount } from '../../../src/clicks/click-batch.ts';
import { onlyRow } from '../../../src/storage/postgres/postgres.ts';
import { readAnalyticsAudit } from '../../support/clicks/analytics.ts';
import { makeDetail, makeDetailedBatch, readMetrics, tally } from '../../support/clicks/analytics.ts';
import { createUrlIds, resetLedger } from '../../support/clicks/clicks.ts';
import { endLocked, untilLocked } from '../../support/locks.ts';
import { useDatabase } from '../../support/resources.ts';

const { db } = useDatabase();
const dayMs = 86_400_000;
/** Within the last day, and days ago. */
const atMs = Date.now() - 3_600_000;
const lateMs = atMs - 9 * dayMs;
let urlIds: number[];

beforeEach(async () => {
  await resetLedger(db());
  await createClickSegments(db()).rollUp({ always: true });
  urlIds = await createUrlIds(db(), 3);
});

/** Of three short URLs, with an event and without one. */
const makeClicks = (count: number, beginMs = atMs): ClickCount[] =>
  urlIds.flatMap((urlId) =>
    Array.from({ length: count }, (_, i) => ({
      urlId,
      count: 1 + i,
      lastAtMs: beginMs + i * 60_000,
      detail: makeDetail({
        referrer: `${i % 7}.example`,
        visitor: i % 2 === 0 ? i + 1 : '',
        isBot: i % 3 === 0,
      }),
    })),
  );

const apply = async (clicks: ClickCount[]) => await openClickStore(db()).apply([makeDetailedBatch(clicks)]);
const rollUp = async () => await createClickSegments(db()).rollUp({ always: true });
const countRolledUp = async (): Promise<number> =>
  Number(
    (await db()('url_clicks_daily').where({ dimension: 'country' }).sum({ clicks: 'clicks' }))[0]!.clicks,
  );
const sumOf = (clicks: ClickCount[]) => clicks.reduce((sum, { count }) => sum + count, 0);

async function expectExact(clicks: ClickCount[]) {
  expect(await readMetrics(db())).toEqual(tally(clicks));
  expect((await readAnalyticsAudit(db())).differing).toEqual([]);
}

test('metrics are the same before, between and after roll-ups', async () => {
  const first = [...makeClicks(20), ...makeClicks(5, lateMs)];
  await apply(first);
  await expectExact(first);
  expect(await countRolledUp()).toBe(0);
  expect(await rollUp()).toEqual({ segments: 1, isBusy: false });
  await expectExact(first);
  expect(await countRolledUp()).toBe(sumOf(first));
  const second = makeClicks(10, atMs - dayMs / 2);
  await apply(second);
  await expectExact([...first, ...second]);
  await rollUp();
  await expectExact([...first, ...second]);
  expect(await db()('url_pending_clicks')).toEqual([]);
});

test('a segment without clicks, or with few new ones, stays open', async () => {
  expect(await rollUp()).toEqual({ segments: 0, isBusy: false });
  await apply(makeClicks(1));
  expect(await createClickSegments(db()).rollUp()).toEqual({ segments: 0, isBusy: false });
});

test('a segment is rolled up an hour after it was opened, or after half a million clicks', async () => {
  await apply(makeClicks(1));
  await db()('analytics_segments').update({ opened_at: new Date(Date.now() - 3_601_000) });
  expect(await createClickSegments(db()).rollUp()).toEqual({ segments: 1, isBusy: false });
  await apply([{ urlId: urlIds[0]!, count: 499_999, lastAtMs: atMs }]);
  expect(await createClickSegments(db()).rollUp()).toEqual({ segments: 0, isBusy: false });
  await apply([{ urlId: urlIds[0]!, count: 1, lastAtMs: atMs }]);
  expect(await createClickSegments(db()).rollUp()).toEqual({ segments: 1, isBusy: false });
});

test('a roll-up waits for a transaction that counts clicks, and misses none of them', async () => {
  const clicks = makeClicks(5);
  const counting = await db().transaction();
  let rollingUp: ReturnType<typeof rollUp>;
  try {
    await apply(makeClicks(1));
    await openClickStore(counting).apply([makeDetailedBatch(clicks)]);
    rollingUp = rollUp();
    await untilLocked(db());
  } finally {
    await counting.commit();
  }
  await rollingUp;
  await expectExact([...clicks, ...makeClicks(1)]);
  expect(await countRolledUp()).toBe(sumOf([...clicks, ...makeClicks(1)]));
});

test('concurrent roll-ups add each click once', async () => {
  const clicks = makeClicks(30);
  await apply(clicks);
  await Promise.all(Array.from({ length: 4 }, rollUp));
  await rollUp();
  await expectExact(clicks);
  expect(await countRolledUp()).toBe(sumOf(clicks));
});

test('a roll-up that ends before its commit changes nothing, and the next one adds every click', async () => {
  const clicks = makeClicks(30);
  await apply(clicks);
  const holder = await db().transaction();
  try {
    await holder.raw('lock table url_bots_daily in exclusive mode');
    const rollingUp = rollUp().catch((error: unknown) => error);
    await endLocked(db(), 'terminate');
    expect(await rollingUp).toBeInstanceOf(Error);
  } finally {
    await holder.rollback();
  }
  await expectExact(clicks);
  expect(await countRolledUp()).toBe(0);
  await rollUp();
  await expectExact(clicks);
});

test('erased clicks do not come back with a roll-up', async () => {
  const clicks = makeClicks(10);
  await apply(clicks);
  const { short_code: shortCode } = await db()('urls').where({ id: urlIds[0] }).first('short_code');
  const erasing = createClickEraser(db()).erase(shortCode as string, null, 'clear');
  await Promise.all([erasing, rollUp(), rollUp()]);
  await rollUp();
  await expectExact(clicks.filter(({ urlId }) => urlId !== urlIds[0]));
});

test('a day is only dropped once its clicks are rolled up', async () => {
  const partitions = createAnalyticsPartitions(db());
  const clicks = makeClicks(4);
  await apply(clicks);
  const dayOf = (ms: number) => new Date(ms).toISOString().slice(0, 10);
  await partitions.expire(dayOf(atMs + 2 * dayMs));
  expect(await partitions.drop(dayOf(atMs), async () => true)).toBe('busy');
  await rollUp();
  expect(await partitions.drop(dayOf(atMs), async () => true)).toBe('dropped');
  expect(await countRolledUp()).toBe(sumOf(clicks));
  await db()('analytics_state').update({ events_since: '-infinity' });
});

test('clicks that come days late do not make queries read the events of all days since', async () => {
  await apply([...makeClicks(3, lateMs), ...makeClicks(3)]);
  const { first_at: firstAt } = await db()('analytics_segments').orderBy('segment', 'desc').first('first_at');
  expect((firstAt as Date).getTime()).toBeGreaterThan(atMs - 3_600_000);
});

test('the stream of click events does not wait for a roll-up', async () => {
  await apply(makeClicks(3));
  const holder = await db().transaction();
  const { findHorizon } = createClickFeedStore(db());
  try {
    await holder.raw('lock table url_bots_daily in exclusive mode');
    const rollingUp = rollUp();
    await untilLocked(db());
    const { rows } = await db().raw<{ rows: { transaction: string }[] }>(
      `select cast(backend_xid as text) as transaction from pg_stat_activity
       where wait_event_type = 'Lock' and datname = current_database()`,
    );
    const rollUpTransaction = onlyRow({ rows }).transaction;
    await apply(makeClicks(1));
    // Transactions of other tests may hold it back, but never that of the roll-up.
    expect(await findHorizon()).not.toBe(BigInt(rollUpTransaction));
    await holder.rollback();
    await rollingUp;
  } finally {
    if (!holder.isCompleted()) await holder.rollback();
  }
});

test('clicks of truncated short URLs do not come back on those that get their IDs', async () => {
  await apply([...makeClicks(3), ...makeClicks(3, lateMs)]);
  await db().raw('truncate urls restart identity cascade');
  await rollUp();
  urlIds = await createUrlIds(db(), 3);
  await rollUp();
  expect(await countRolledUp()).toBe(0);
  await expectExact([]);
});

test('clicks that a release without segments has counted are not added again', async () => {
  await db().raw(
    `insert into url_analytics (url_id, at, visitor, clicks, is_bot, country, referrer, browser, os, device)
     values (:urlId, to_timestamp(:at), 1, 1, false, 'DE', '', '', '', '')`,
    { urlId: urlIds[0], at: atMs / 1_000 },
  );
  await apply(makeClicks(1));
  await rollUp();
  expect(await countRolledUp()).toBe(sumOf(makeClicks(1)));
});
