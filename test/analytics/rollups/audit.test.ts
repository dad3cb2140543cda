import { beforeEach, expect, test } from 'vitest';
import { openClickStore } from '../../../src/analytics/click-store.ts';
import { compareInSlices, createAnalyticsSlices } from '../../../src/analytics/rollups/audit-slices.ts';
import { createClickSegments } from '../../../src/analytics/rollups/segments.ts';
import { makeDetail, makeDetailedBatch, readAnalyticsAudit } from '../../support/clicks/analytics.ts';
import { createUrlIds, resetLedger } from '../../support/clicks/clicks.ts';
import { useDatabase } from '../../support/resources.ts';
import { connectExternalClient } from '../../support/urls/external-client.ts';

const database = useDatabase();
const { db } = database;
const atMs = Date.parse('2026-11-21T23:59:30Z');

/** Counts clicks on two short URLs: with an event, with roll-ups only, and with a total only. */
async function applyClicks(): Promise<[number, number]> {
  const [one, two] = (await createUrlIds(db(), 2)) as [number, number];
  const clicks = [makeDetail(), makeDetail({ visitor: '', isBot: true }), undefined].flatMap((detail, i) =>
    [one, two].map((urlId) => ({ urlId, count: 10 ** i, lastAtMs: atMs + i * 60_000, detail })),
  );
  await openClickStore(db()).apply([makeDetailedBatch(clicks)]);
  return [one, two];
}

beforeEach(async () => await resetLedger(db()));

test('counters, hours, dimensions and click events match, with and without details', async () => {
  await applyClicks();
  expect(await readAnalyticsAudit(db())).toEqual({ clicks: 222, without: 0, differing: [] });
});

test('clicks without analytics are reported separately and do not count as a difference', async () => {
  const [one] = await applyClicks();
  await db()('url_stats').where({ url_id: one }).increment('click_count', 5);
  expect(await readAnalyticsAudit(db())).toEqual({ clicks: 222, without: 5, differing: [] });
});

test.each([
  [
    'hour',
    'update url_clicks_hourly set clicks_45 = clicks_45 - 1 where clicks_45 > 0',
    { metric: 'clicks by hour', expected: 111, found: 110 },
  ],
  [
    'value',
    `delete from url_clicks_daily where dimension = 'referrer' and value = ''`,
    { metric: 'clicks by referrer', expected: 111, found: 11 },
  ],
  [
    'number of bots',
    `update url_clicks_daily set bots = bots + 1 where dimension = 'os' and value = 'Linux' and day = '2026-11-22'`,
    { metric: 'bots by os', expected: 10, found: 11 },
  ],
  ['row', 'delete from url_analytics', { metric: 'click events', expected: 1, found: 0 }],
])('the audit finds an altered %s on its short URL', async (_, tamper, difference) => {
  const [one] = await applyClicks();
  await createClickSegments(db()).rollUp({ always: true });
  const { short_code: shortCode } = await db()('urls').where({ id: one }).first('short_code');
  await db().raw(`${tamper}${tamper.includes('where') ? ' and' : ' where'} url_id = ${one}`);
  expect((await readAnalyticsAudit(db())).differing).toEqual([{ shortCode, ...difference }]);
});

test('a short URL with a pending removal does not count as a difference', async () => {
  const [one] = await applyClicks();
  const external = await connectExternalClient(database.url());
  await external.run(`create temp table kept as select * from urls where id = ${one}`);
  await external.run(`delete from urls where id = ${one}`);
  expect((await readAnalyticsAudit(db())).differing).toEqual([]);
  await external.run('insert into urls overriding system value select * from kept');
  expect((await readAnalyticsAudit(db())).differing).toEqual([]);
  await external.close();
});

test('slices compare every short URL once, and find what one statement finds', async () => {
  await createUrlIds(db(), 1_200);
  const [one, two] = await applyClicks();
  await db()('url_analytics').whereIn('url_id', [one, two]).delete();
  const steps = [];
  for await (const step of compareInSlices(createAnalyticsSlices(db()))) steps.push(step);
  expect(steps.length).toBeGreaterThan(1);
  const { count } = (await db()('url_stats').count({ count: '*' }).first())!;
  expect(steps.at(-1)).toMatchObject({ checked: Number(count), total: Number(count), skipped: 0 });
  const { differing } = await readAnalyticsAudit(db());
  expect(differing).toHaveLength(2);
  expect(steps.flatMap(({ found }) => found)).toEqual(expect.arrayContaining(differing));
});

test('with a time, slices compare only short URLs that were clicked since then', async () => {
  const [one, two] = await applyClicks();
  await db()('url_analytics').whereIn('url_id', [one, two]).delete();
  const lastAt = new Date(atMs + 120_000);
  await db()('url_stats')
    .where({ url_id: one })
    .update({ last_accessed_at: new Date(lastAt.getTime() - 1) });
  const steps = [];
  for await (const step of compareInSlices(createAnalyticsSlices(db(), { since: lastAt }))) steps.push(step);
  const { short_code: shortCode } = await db()('urls').where({ id: two }).first('short_code');
  expect(steps).toEqual([
    {
      checked: 1,
      total: 1,
      skipped: 0,
      found: [{ shortCode, metric: 'click events', expected: 1, found: 0 }],
    },
  ]);
});
