import { expect, test } from 'vitest';
import { openClickStore } from '../../src/analytics/click-store.ts';
import { maxValues } from '../../src/analytics/rollups/daily-values.ts';
import { createClickSegments } from '../../src/analytics/rollups/segments.ts';
import { makeDetail, makeDetailedBatch } from '../support/clicks/analytics.ts';
import { createUrlIds } from '../support/clicks/clicks.ts';
import { useDatabase } from '../support/resources.ts';

const { db } = useDatabase();
const atMs = Date.parse('2026-11-21T10:07:30.123Z');

const readValues = async (dimension: string) =>
  await db()('url_clicks_daily').where({ dimension }).select('value', 'clicks', 'bots');

test('100,000 referrers from concurrent workers stay within the limit without lost clicks', async () => {
  const [urlId] = (await createUrlIds(db(), 1)) as [number];
  const clicks = Array.from({ length: 100_000 }, (_, i) => ({
    urlId,
    count: 1,
    lastAtMs: atMs,
    detail: makeDetail({ referrer: `${i}.hostile.example`, visitor: '' }),
  }));
  const batches = Array.from({ length: 20 }, (_, i) =>
    makeDetailedBatch(clicks.slice(i * 5_000, (i + 1) * 5_000)),
  );
  const store = openClickStore(db());
  await Promise.all([0, 5, 10, 15].map((i) => store.apply(batches.slice(i, i + 5))));
  await createClickSegments(db()).rollUp({ always: true });
  const values = await readValues('referrer');
  expect(values).toHaveLength(maxValues + 1);
  expect(values.reduce((sum, { clicks }) => sum + clicks, 0)).toBe(100_000);
  expect(await readValues('country')).toEqual([{ value: 'DE', clicks: 100_000, bots: 0 }]);
});
