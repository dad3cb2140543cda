import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import { openClickStore } from '../../../src/analytics/click-store.ts';
import { maxValues, otherValue } from '../../../src/analytics/rollups/daily-values.ts';
import { createClickSegments } from '../../../src/analytics/rollups/segments.ts';
import type { Batch, ClickCount } from '../../../src/clicks/click-batch.ts';
import { botKinds } from '../../../src/clicks/enrichment/agents/bot-kinds.ts';
import { makeDetail, makeDetailedBatch, readMetrics, tally } from '../../support/clicks/analytics.ts';
import { countDeadlocks, createUrlIds, resetLedger } from '../../support/clicks/clicks.ts';
import { useDatabase } from '../../support/resources.ts';

const { db } = useDatabase();
const atMs = Date.parse('2026-11-21T10:07:30.123Z');

beforeEach(async () => await resetLedger(db()));

const rollUp = async () => await createClickSegments(db()).rollUp({ always: true });
const apply = async (...clicks: ClickCount[]) =>
  await openClickStore(db()).apply([makeDetailedBatch(clicks)]);

async function readValues(dimension: string) {
  await rollUp();
  return await db()('url_clicks_daily')
    .where({ dimension })
    .orderBy('value')
    .select('value', 'clicks', 'bots');
}

/** Details from a small set, so that some clicks are identical, or none. */
const anyDetail = fc.option(
  fc.record({
    country: fc.constantFrom('', 'DE', 'NP'),
    referrer: fc.constantFrom('', 'example.org', "o'hara.example"),
    browser: fc.constantFrom('', 'Firefox', '\\"{,}NULL'),
    os: fc.constantFrom('Linux', 'Ωs'),
    device: fc.constantFrom('mobile', 'desktop'),
    isBot: fc.boolean(),
    botKind: fc.constantFrom(undefined, ...botKinds),
    visitor: fc.constantFrom('', '0000000000000001', 'ffffffffffffffff', '8000000000000000'),
  }),
  { nil: undefined },
);
/** Around two midnights, and at the limits of the time range. */
const anyTime = fc.oneof(
  fc.integer({ min: -7_200_000, max: 7_200_000 }).map((ms) => Date.parse('2026-11-22T00:00:00Z') + ms),
  fc.integer({ min: -3, max: 3 }).map((ms) => Date.parse('2027-01-01T00:00:00Z') + ms),
  fc.constantFrom(0, 899_999, 253_402_300_799_999),
);

test('for any concurrent and repeated batches, all metrics match a tally', async () => {
  const store = openClickStore(db());
  const urlIds = await createUrlIds(db(), 3);
  const all: ClickCount[] = [];
  const click = fc.record({
    urlId: fc.constantFrom(...urlIds),
    count: fc.integer({ min: 1, max: 9 }),
    lastAtMs: anyTime,
    detail: anyDetail,
  });
  const batches = fc.array(fc.array(click, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(batches, async (given) => {
      const sent: Batch[] = given.map(makeDetailedBatch);
      await Promise.all([
        store.apply(sent),
        store.apply(sent.toReversed()),
        rollUp(),
        ...sent.map((batch) => store.apply([batch])),
        rollUp(),
      ]);
      all.push(...given.flat());
      expect(await readMetrics(db())).toEqual(tally(all));
    }),
    { numRuns: 25 },
  );
});

test('a popular short URL needs one row per quarter hour and value, regardless of batches', async () => {
  const [urlId] = (await createUrlIds(db(), 1)) as [number];
  const batches = Array.from({ length: 500 }, (_, i) =>
    makeDetailedBatch([{ urlId, count: 2, lastAtMs: atMs + i, detail: makeDetail() }]),
  );
  await openClickStore(db()).apply(batches);
  await rollUp();
  const rows = await Promise.all(
    ['url_analytics', 'url_clicks_hourly', 'url_clicks_daily'].map((table) => db()(table)),
  );
  expect(rows.map((found) => found.length)).toEqual([1, 1, 5]);
  expect(rows[0]).toMatchObject([{ clicks: 1_000, at: new Date(atMs + 499) }]);
});

test('beyond the maximum of values, the most clicked are kept and the rest is "other"', async () => {
  const [urlId] = (await createUrlIds(db(), 1)) as [number];
  const referrers = Array.from(
    { length: 3 * maxValues },
    (_, i) => `host-${String(i).padStart(3, '0')}.example`,
  );
  const visit = (referrer: string, count: number, isBot = false) => ({
    urlId,
    count,
    lastAtMs: atMs,
    detail: makeDetail({ referrer, isBot }),
  });
  await apply(...referrers.map((referrer, i) => visit(referrer, i + 1)), visit('', 5));
  const kept = referrers.slice(-maxValues);
  const rest = referrers.slice(0, -maxValues);
  const sumTo = (n: number) => (n * (n + 1)) / 2;
  const expected = (clicks: number, bots: number) => [
    { value: '', clicks: 5, bots: 0 },
    { value: otherValue, clicks, bots },
    ...kept.map((value, i) => ({ value, clicks: rest.length + i + 1, bots: 0 })),
  ];
  expect(await readValues('referrer')).toEqual(expected(sumTo(rest.length), 0));

  // Later, new values count as other, existing ones grow, and another day has its own limit.
  await apply(visit('new.example', 7, true), visit(otherValue, 1));
  expect(await readValues('referrer')).toEqual(expected(sumTo(rest.length) + 8, 7));
  await apply(visit(kept[0]!, 100), { ...visit('new.example', 1), lastAtMs: atMs + 86_400_000 });
  const values = await readValues('referrer');
  expect(values).toContainEqual({ value: kept[0], clicks: rest.length + 101, bots: 0 });
  expect(values).toContainEqual({ value: 'new.example', clicks: 1, bots: 0 });
});

test('workers that count the same short URLs and values concurrently never deadlock', async () => {
  const urlIds = await createUrlIds(db(), 60);
  const deadlocks = await countDeadlocks(db());
  const makeClicks = (round: number): ClickCount[] =>
    urlIds.map((urlId, i) => ({
      urlId,
      count: 1,
      lastAtMs: atMs + 60_000 * (i % 50),
      detail: makeDetail({ referrer: `${(i * round) % 7}.example`, visitor: round }),
    }));
  const rounds = Array.from({ length: 20 }, (_, round) => {
    const clicks = makeClicks(round);
    return round % 2 === 0 ? clicks : clicks.toReversed();
  });
  const store = openClickStore(db());
  await Promise.all(rounds.map((clicks) => store.apply([makeDetailedBatch(clicks)])));
  expect(await readMetrics(db())).toEqual(tally(rounds.flat()));
  expect(await countDeadlocks(db())).toBe(deadlocks);
});

test('texts that PostgreSQL or an index would reject do not block other clicks', async () => {
  const [urlId] = (await createUrlIds(db(), 1)) as [number];
  const long = 'x'.repeat(10_000);
  const detail = makeDetail({ country: 'a\0b', referrer: long, browser: '\ud800', visitor: 'no digits' });
  await apply({ urlId, count: 1, lastAtMs: atMs, detail });
  expect(await readValues('country')).toMatchObject([{ value: 'ab' }]);
  expect(await readValues('referrer')).toMatchObject([{ value: long.slice(0, 255) }]);
  expect(await readValues('browser')).toMatchObject([{ value: '\ufffd' }]);
  expect(await db()('url_analytics')).toEqual([]);
});

test('clicks on a purged short URL leave nothing in the analytics', async () => {
  const [purged, there] = (await createUrlIds(db(), 2)) as [number, number];
  await db()('urls').where({ id: purged }).delete();
  const clicks = [purged, there].map((urlId) => ({ urlId, count: 3, lastAtMs: atMs, detail: makeDetail() }));
  await apply(...clicks);
  expect(await readMetrics(db())).toEqual(tally(clicks.slice(1)));
});

test('sessions in all time zones write the same quarter hours and days', async () => {
  const [urlId] = (await createUrlIds(db(), 1)) as [number];
  const clicks = Array.from({ length: 96 }, (_, i) => ({
    urlId,
    count: 1,
    lastAtMs: atMs + i * 900_000,
    detail: makeDetail(),
  }));
  await db().transaction(async (trx) => {
    await trx.raw(`set local time zone 'Asia/Kathmandu'`);
    await openClickStore(trx).apply([makeDetailedBatch(clicks)]);
  });
  expect(await readMetrics(db())).toEqual(tally(clicks));
});
