import { beforeAll, expect, test } from 'vitest';
import { type Analytics, createAnalytics } from '../../../src/analytics/query/analytics.ts';
import { groupings, type AnalyticsQuery } from '../../../src/analytics/query/query.ts';
import { createAnalyticsSnapshot } from '../../../src/analytics/query/snapshot.ts';
import { readFrom } from '../../../src/storage/reads/read-pool.ts';
import { makeQuery } from '../../support/clicks/analytics.ts';
import { createUrlIds } from '../../support/clicks/clicks.ts';
import { useDatabase } from '../../support/resources.ts';

const database = useDatabase();
const { db } = database;
const minRounds = 5;
const maxRounds = 30;
/** Upper limit of the query time relative to the baseline; the highest measured ratio is 0.7. */
const ratioLimit = 1.5;
let analytics: Analytics;

/** A year of 10 million clicks on one short URL: hourly roll-ups, 100 values per day and dimension, and click events of the last
 *  ten days. 50 other short URLs fill the tables with similar roll-ups. */
beforeAll(async () => {
  const [urlId] = await createUrlIds(db(), 51);
  await db()('urls').where({ id: urlId }).update({ short_code: 'popular' });
  await db().raw(
    `insert into url_clicks_hourly
     select url_id, hour, 285, 285, 286, 286, 40, 40, 40, 40, 1142
     from generate_series(timestamptz '2025-11-22 00:00Z', timestamptz '2026-11-21 23:00Z', interval '1 hour') as hour, url_stats`,
  );
  await db().raw(
    `insert into url_clicks_daily
     select url_id, cast(day as date), dimension, 'value-' || value, 274, 38
     from generate_series(timestamp '2025-11-22', timestamp '2026-11-21', interval '1 day') as day,
          unnest(enum_range(cast(null as click_dimension))) as dimension, generate_series(1, 100) as value, url_stats
     where url_id < :urlId + 10`,
    { urlId },
  );
  await db().raw(
    `insert into url_analytics
     select :urlId, at, hashtext(at::text), 1, extract(second from at) < 8, 'DE', 'value-' || extract(minute from at), 'Firefox', 'Linux',
            'desktop'
     from generate_series(timestamptz '2026-11-12 00:00Z', timestamptz '2026-11-21 23:59Z', interval '3 seconds') as at`,
    { urlId },
  );
  await db()('analytics_state').update({ events_since: '2026-11-12T00:00:00Z' });
  await db().raw('vacuum analyze');
  analytics = createAnalytics(createAnalyticsSnapshot(readFrom(db()), 10_000));
});

async function measureMs(run: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await run();
  return performance.now() - start;
}

const queryYear = async (query: Partial<AnalyticsQuery>) => {
  const year = { from: '2025-11-22', to: '2026-11-21' };
  const answer = await analytics.query(makeQuery('popular', { ...year, compare: true, ...query }));
  expect(answer.clicks).toBeGreaterThan(0);
};

/** The baseline: PostgreSQL sums all daily roll-ups of the short URL. */
const sumYear = async () => {
  const ids = db()('urls').select('id').where({ short_code: 'popular' });
  await db()('url_clicks_daily').sum('clicks').whereIn('url_id', ids);
};

/** The shortest time of a query, relative to the shortest time of the baseline. Other work on this machine only adds to a time: they
 *  take turns, for further rounds while the ratio is above the limit. */
async function ratioOf(query: Partial<AnalyticsQuery>): Promise<number> {
  let queryMs = Infinity;
  let baselineMs = Infinity;
  for (let round = 1; round <= maxRounds; round++) {
    queryMs = Math.min(queryMs, await measureMs(async () => await queryYear(query)));
    baselineMs = Math.min(baselineMs, await measureMs(sumYear));
    if (round >= minRounds && queryMs / baselineMs < ratioLimit) break;
  }
  return queryMs / baselineMs;
}

test.each(groupings)(
  'a year with 10 million clicks by %s takes at most 1.5 scans of the daily roll-ups',
  async (groupBy) => {
    for (const timezone of ['UTC', 'Europe/Berlin', 'Asia/Kathmandu'])
      expect(await ratioOf({ groupBy, timezone })).toBeLessThan(ratioLimit);
  },
  60_000,
);

test('a year with 10 million clicks by hour takes at most 1.5 scans of the daily roll-ups', async () => {
  expect(await ratioOf({ interval: 'hour' })).toBeLessThan(ratioLimit);
});
