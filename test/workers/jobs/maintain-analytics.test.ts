import { beforeEach, expect, test } from 'vitest';
import { openClickStore } from '../../../src/analytics/click-store.ts';
import { createClickFeedStore } from '../../../src/analytics/feed/feed-store.ts';
import type { VisitorSlices } from '../../../src/analytics/partitions/daily-visitors.ts';
import { listPartitionDays, partitionName } from '../../../src/analytics/partitions/partition-ddl.ts';
import { createAnalyticsPartitions } from '../../../src/analytics/partitions/partitions.ts';
import { createAnalytics } from '../../../src/analytics/query/analytics.ts';
import { createAnalyticsSnapshot } from '../../../src/analytics/query/snapshot.ts';
import { createAnalyticsPurge } from '../../../src/analytics/rollups/purge.ts';
import { createClickSegments } from '../../../src/analytics/rollups/segments.ts';
import type { ClickCount } from '../../../src/clicks/click-batch.ts';
import { createVisitorSaltStore } from '../../../src/clicks/enrichment/visitor-salt-store.ts';
import { readFrom } from '../../../src/storage/reads/read-pool.ts';
import { createUrlCleanupStore } from '../../../src/urls/store/cleanup-store.ts';
import { maintainAnalytics } from '../../../workers/jobs/clicks/maintain-analytics.ts';
import {
  makeDetail,
  makeDetailedBatch,
  makeQuery,
  readMetrics,
  tally,
} from '../../support/clicks/analytics.ts';
import { countDeadlocks, createUrlIds, resetLedger } from '../../support/clicks/clicks.ts';
import { createJobContext } from '../../support/job-context.ts';
import { useDatabase } from '../../support/resources.ts';
import { connectExternalClient } from '../../support/urls/external-client.ts';
import { waitUntil } from '../../support/wait-until.ts';

const database = useDatabase();
const { db } = database;
const dayMs = 86_400_000;
const today = Date.parse('2026-11-21T10:00:00Z');
const dayAfter = (days: number) => new Date(today + days * dayMs).toISOString().slice(0, 10);
const partitions = (slices?: VisitorSlices) => createAnalyticsPartitions(db(), slices);

const maintain = async (daysLater = 0, context = createJobContext(), retentionDays = 90) =>
  await maintainAnalytics(
    {
      salts: createVisitorSaltStore(db()),
      partitions: partitions(),
      segments: createClickSegments(db()),
      removals: createAnalyticsPurge(db()),
      clickFeed: createClickFeedStore(db()),
      now: async () => new Date(today + daysLater * dayMs),
    },
    retentionDays,
    context,
  );

const rollUp = async () => await createClickSegments(db()).rollUp({ always: true });
const apply = async (clicks: ClickCount[]) => await openClickStore(db()).apply([makeDetailedBatch(clicks)]);
const clickAt = (urlId: number, lastAtMs: number, visitor = 1, isBot = false): ClickCount => ({
  urlId,
  count: 2,
  lastAtMs,
  detail: makeDetail({ visitor, isBot }),
});

/** The number of rows in each partition. */
async function readRows(): Promise<Record<string, number>> {
  const { rows } = await db().raw<{ rows: { name: string; count: number }[] }>(
    `select cast(tableoid as regclass) as name, count(*) as count from url_analytics group by 1 order by 1`,
  );
  return Object.fromEntries(rows.map(({ name, count }) => [name.replace('url_analytics_', ''), count]));
}

beforeEach(async () => {
  await resetLedger(db());
  for (const day of await listPartitionDays(db())) await db().raw('drop table ??', [partitionName(day)]);
  await db()('analytics_state').update({ events_since: '-infinity' });
});

test('partitions are created from yesterday to a week ahead, idempotently and with progress', async () => {
  const context = createJobContext();
  expect(await maintain(0, context)).toMatchObject({ created: 9, skipped: 0, busy: 0, interrupted: false });
  expect(context.reported).toEqual([11, 22, 33, 44, 55, 66, 77, 88, 100]);
  expect(await listPartitionDays(db())).toEqual([-1, 0, 1, 2, 3, 4, 5, 6, 7].map(dayAfter));
  expect(await maintain()).toMatchObject({ created: 0, status: 'nothing to maintain' });
  expect(await maintain(1)).toMatchObject({ created: 1 });
});

test('clicks at midnight, with wrong clocks and without a partition are all stored', async () => {
  await maintain();
  const [urlId] = (await createUrlIds(db(), 1)) as [number];
  const midnight = Date.parse(`${dayAfter(1)}T00:00:00Z`);
  const clicks = [midnight - 1, midnight, 0, today - 40 * dayMs, today + 400 * dayMs, 8.64e15].map(
    (atMs, i) => clickAt(urlId, atMs, i),
  );
  expect(await apply(clicks)).toMatchObject({ clicks: 12 });
  // The click of 1970 is past its retention.
  expect(await readRows()).toEqual({ '20261121': 1, '20261122': 1, other_days: 3 });
  const { rows } = await db().raw(
    'select cast(sum(clicks) as bigint) as clicks from url_clicks_quarter_hourly',
  );
  expect(rows).toEqual([{ clicks: 12 }]);
});

test('rows move into their new partition while clicks are counted', async () => {
  const urlIds = await createUrlIds(db(), 5);
  const clicks = Array.from({ length: 300 }, (_, i) => clickAt(urlIds[i % 5]!, today + i * 1_000, i));
  const deadlocks = await countDeadlocks(db());
  await apply(clicks.slice(0, 100));
  expect(await readRows()).toEqual({ other_days: 100 });
  const counting = Array.from(
    { length: 20 },
    async (_, i) => await apply(clicks.slice(100 + 10 * i, 110 + 10 * i)),
  );
  const [first, second] = await Promise.all([maintain(), maintain(), ...counting]);
  expect(first.created + second.created).toBe(9);
  expect(first.busy + second.busy).toBe(0);
  expect(await readRows()).toEqual({ '20261121': 300 });
  expect(await readMetrics(db())).toEqual(tally(clicks));
  expect(await countDeadlocks(db())).toBe(deadlocks);
});

test('a day with too many rows to move gets no partition until its retention ends', async () => {
  await db().raw(
    `insert into url_analytics select 1, to_timestamp(:seconds), n, 1, false, '', '', '', '', ''
     from generate_series(1, 100001) as n`,
    { seconds: today / 1_000 },
  );
  expect(await maintain()).toMatchObject({ created: 8, skipped: 1 });
  expect(await readRows()).toEqual({ other_days: 100_001 });
  expect(await maintain(91)).toMatchObject({ skipped: 0, busy: 0 });
  expect(await readRows()).toEqual({});
  expect(await db()('url_visitors_daily')).toMatchObject([{ people: 100_001 }]);
});

test('a day past its retention is dropped; roll-ups, totals and visitor counts are kept', async () => {
  await maintain();
  const [one, two] = (await createUrlIds(db(), 2)) as [number, number];
  const clicks = [
    clickAt(one, today, 1),
    clickAt(one, today + 60_000, 1),
    clickAt(one, today, 2),
    clickAt(one, today, 3, true),
    clickAt(two, today, 1),
    clickAt(two, today + dayMs, 1),
    // From a wrong clock: its day has no partition.
    clickAt(two, today - 50 * dayMs, 1),
  ];
  await apply(clicks);
  expect(await maintain(91)).toMatchObject({ dropped: 3, busy: 0 });
  expect(await readRows()).toEqual({ '20261122': 1 });
  const visitors = await db()('url_visitors_daily')
    .orderBy(['url_id', 'day'])
    .select('url_id', db().raw('cast(day as text) as day'), 'people', 'bots');
  expect(visitors).toEqual([
    { url_id: one, day: dayAfter(0), people: 2, bots: 1 },
    { url_id: two, day: dayAfter(-50), people: 1, bots: 0 },
    { url_id: two, day: dayAfter(0), people: 1, bots: 0 },
  ]);

  // A click that arrives now gets no row and changes no visitor count.
  const late = clickAt(one, today + 1, 9);
  await apply([late]);
  const isRow = ([name]: [string, unknown]) => / row /.test(name);
  const figures = Object.entries(await readMetrics(db()));
  const expected = Object.entries(tally([...clicks, late])).filter((figure) => !isRow(figure));
  expect(Object.fromEntries(figures.filter((figure) => !isRow(figure)))).toEqual(
    Object.fromEntries(expected),
  );
  expect(figures.filter(isRow)).toHaveLength(1);
  expect(await maintain(91)).toMatchObject({ status: 'nothing to maintain' });
  expect(await db()('url_visitors_daily')).toHaveLength(3);
});

test('an expired day keeps its visitor counts until it is dropped', async () => {
  await maintain();
  const [urlId] = (await createUrlIds(db(), 1)) as [number];
  await db()('urls').where({ id: urlId }).update({ short_code: 'visited' });
  await apply([
    clickAt(urlId, today, 1),
    clickAt(urlId, today, 2),
    clickAt(urlId, today, 3, true),
    clickAt(urlId, today + dayMs, 1),
  ]);
  const { query } = createAnalytics(createAnalyticsSnapshot(readFrom(db()), 10_000));
  const countVisitors = async () => {
    const days = { from: dayAfter(0), to: dayAfter(1) };
    const { visitors } = await query(makeQuery('visited', { ...days, visitors: true }));
    return visitors;
  };
  await rollUp();
  expect(await partitions().expire(dayAfter(2))).toContain(dayAfter(0));
  expect(await countVisitors()).toBe(4);
  const heard: unknown[] = [];
  const shouldContinue = async () => {
    heard.push(await countVisitors());
    return true;
  };
  expect(await partitions({ rows: 1, rowsPerUrl: 2 }).drop(dayAfter(0), shouldContinue)).toBe('dropped');
  expect(new Set(heard)).toEqual(new Set([4]));
  expect(await countVisitors()).toBe(4);
});

test('visitors are counted in slices; an interrupted count continues in the next run', async () => {
  await maintain();
  const urlIds = await createUrlIds(db(), 12);
  // Short URL n has n visitors and n bots, except for the viral one in the middle.
  const counts = urlIds.map((_, i) => (i === 5 ? 60 : i));
  await apply(
    urlIds.flatMap((urlId, i) =>
      Array.from({ length: 2 * counts[i]! }, (_, n) => clickAt(urlId, today + n, n, n % 2 === 1)),
    ),
  );
  await apply([clickAt(urlIds[5]!, today + 1_000, 0)]);
  await rollUp();
  const [day] = (await partitions().expire(dayAfter(1))).slice(-1) as [string];
  const slices = { rows: 25, rowsPerUrl: 20 };
  let steps = 0;
  expect(await partitions(slices).drop(day, async () => ++steps < 4)).toBe('stopped');
  expect(await readRows()).toHaveProperty(day.replaceAll('-', ''));
  expect(await partitions(slices).drop(day, async () => ++steps > 0)).toBe('dropped');
  expect(steps).toBeGreaterThan(15);
  const visitors = await db()('url_visitors_daily').orderBy('url_id').select('url_id', 'people', 'bots');
  expect(visitors).toEqual(
    urlIds
      .map((url_id, i) => ({ url_id, people: counts[i], bots: counts[i] }))
      .filter(({ people }) => people),
  );
});

test('a failed step does not keep the others from running, and the job reports it', async () => {
  await maintain();
  const [urlId] = (await createUrlIds(db(), 1)) as [number];
  await apply([clickAt(urlId, today)]);
  await db().raw(
    'alter table analytics_removals rename to away; alter table visitor_salts rename to salts_away',
  );
  try {
    await expect(maintain(91)).rejects.toThrow(/^3 steps failed; first failure: .*visitor_salts/);
    expect(await readRows()).toEqual({});
    expect(await db()('url_visitors_daily')).toHaveLength(1);
  } finally {
    await db().raw(
      'alter table away rename to analytics_removals; alter table salts_away rename to visitor_salts',
    );
  }
});

test('a long reader blocks the drop of a partition, but not the counting of clicks', async () => {
  await maintain();
  const [urlId] = (await createUrlIds(db(), 1)) as [number];
  await apply([clickAt(urlId, today)]);
  const reader = await db().transaction();
  try {
    await reader.raw('select count(*) from url_analytics');
    const maintaining = maintain(92);
    await waitUntil('the job waits for the reader', async () => {
      const { rows } = await db().raw(
        `select from pg_locks join pg_class c on c.oid = relation
         where not granted and relname = 'url_analytics'`,
      );
      return rows.length > 0;
    });
    // The reader still holds its lock when the click is counted.
    await apply([clickAt(urlId, today + 92 * dayMs)]);
    expect(await maintaining).toMatchObject({ created: 0, dropped: 0, busy: 1 });
  } finally {
    await reader.rollback();
  }
  expect(await maintain(92)).toMatchObject({ busy: 0 });
  expect(await readRows()).toEqual({ '20270221': 1 });
});

test('the analytics of purged and deleted short URLs are deleted, and no others', async () => {
  await maintain();
  const [purged, deleted, stays] = (await createUrlIds(db(), 3)) as [number, number, number];
  const clicksOn = (urlId: number) => [0, 1, -50].map((days) => clickAt(urlId, today + days * dayMs));
  await apply([purged, deleted, stays].flatMap(clicksOn));
  const deletedAt = new Date(Date.now() - 2 * dayMs);
  await db()('urls').where({ id: purged }).update({ is_active: false, deleted_at: deletedAt });
  expect(await createUrlCleanupStore(db()).purge(new Date(), 1, 1, 100)).toBe(1);
  const external = await connectExternalClient(database.url());
  await external.run(`delete from urls where id = ${deleted}`);
  await external.close();
  expect(await maintain()).toMatchObject({ removed: 2 });
  expect(await readMetrics(db())).toEqual(tally(clicksOn(stays)));
  expect(await maintain()).toMatchObject({ removed: 0, status: 'nothing to maintain' });
});

test('many rows of a purged short URL are deleted in slices, also after an interruption', async () => {
  await db().raw(
    `insert into url_analytics select -1, to_timestamp(:seconds), n, 1, false, '', '', '', '', ''
     from generate_series(1, 40001) as n`,
    { seconds: today / 1_000 },
  );
  await db()('analytics_removals').insert({ url_id: -1 });
  const removals = createAnalyticsPurge(db());
  const left: unknown[] = [];
  const shouldContinue = async () => {
    left.push(await readRows());
    return left.length < 2;
  };
  expect(await removals.remove(100, shouldContinue)).toBe(0);
  expect(left).toEqual([{ other_days: 20_001 }, { other_days: 1 }]);
  expect(await maintain()).toMatchObject({ removed: 1 });
  expect(await readRows()).toEqual({});
});

test('an externally deleted and reinserted short URL starts with empty analytics', async () => {
  const [urlId] = (await createUrlIds(db(), 1)) as [number];
  await apply([clickAt(urlId, today)]);
  const external = await connectExternalClient(database.url());
  await external.run(`create temp table kept as select * from urls where id = ${urlId}`);
  await external.run(`delete from urls where id = ${urlId}`);
  await external.run('insert into urls overriding system value select * from kept');
  await external.close();
  await apply([clickAt(urlId, today + 1_000)]);
  expect(await maintain()).toMatchObject({ removed: 1 });
  expect(await readMetrics(db())).toEqual({});
  const later = clickAt(urlId, today + 2_000);
  await apply([later]);
  expect(await readMetrics(db())).toEqual(tally([later]));
});

test('a TRUNCATE of the short URLs deletes all analytics at once', async () => {
  const urlIds = await createUrlIds(db(), 2);
  await apply(urlIds.map((urlId) => clickAt(urlId, today)));
  const external = await connectExternalClient(database.url());
  await external.run('truncate urls restart identity cascade');
  await external.close();
  expect(await readMetrics(db())).toEqual({});
  expect(await db()('analytics_removals')).toEqual([]);
});

test('an interrupted maintenance ends after its step, and the next one does the rest', async () => {
  const context = createJobContext();
  const stopAtFirst = { ...context, reportProgress: async () => context.stop() };
  expect(await maintain(0, stopAtFirst as never)).toMatchObject({ created: 1, interrupted: true });
  expect(await maintain()).toMatchObject({ created: 8, interrupted: false });
});

test('a retention shorter than the click delay creates no partition to drop at once', async () => {
  expect(await maintain(0, createJobContext(), 1)).toMatchObject({ created: 9, dropped: 0 });
  expect(await maintain(0, createJobContext(), 1)).toMatchObject({ created: 0, dropped: 0 });
});

test('clicks restored from a dump with higher transaction IDs never count as new', async () => {
  const [urlId] = (await createUrlIds(db(), 1)) as [number];
  await apply([clickAt(urlId, today)]);
  await db()('url_analytics').update({ applied_in: '99999999999' });
  await apply([clickAt(urlId, today, 2)]);
  const countSeen = async () => {
    const { clicks } = await createClickFeedStore(db()).findEvents({ from: 1n, before: 10n ** 12n });
    return clicks.length;
  };
  expect(await countSeen()).toBe(2);
  expect(await maintain()).toMatchObject({ renumbered: 1 });
  expect(await countSeen()).toBe(1);
  expect(await maintain()).toMatchObject({ status: 'nothing to maintain' });
});

test('salts of today and yesterday are kept, and older ones are deleted', async () => {
  await db().raw(
    `insert into visitor_salts (day, salt)
     select cast(now() at time zone 'UTC' as date) - days, '\\x00' from generate_series(0, 4) as days`,
  );
  await maintain();
  const { rows } = await db().raw(
    `select cast(now() at time zone 'UTC' as date) - day as age from visitor_salts order by 1`,
  );
  expect(rows).toEqual([{ age: 0 }, { age: 1 }]);
});
