import { beforeEach, expect, test } from 'vitest';
import { openClickStore } from '../../../src/analytics/click-store.ts';
import { createClickEraser } from '../../../src/analytics/rollups/erase-clicks.ts';
import { createClickSegments } from '../../../src/analytics/rollups/segments.ts';
import { isExact, readAudit } from '../../../src/clicks/ledger/audit.ts';
import { StatementTimeout } from '../../../src/storage/postgres/statement-timeout.ts';
import { UrlNotFound } from '../../../src/urls/url.ts';
import { readAnalyticsAudit } from '../../support/clicks/analytics.ts';
import { makeDetail, makeDetailedBatch, readMetrics } from '../../support/clicks/analytics.ts';
import { countDeadlocks, createUrlIds, resetLedger, readCounts } from '../../support/clicks/clicks.ts';
import { useDatabase } from '../../support/resources.ts';
import { waitUntil } from '../../support/wait-until.ts';

const { db } = useDatabase();
const hourMs = 3_600_000;
const beginMs = Date.parse('2026-11-19T22:00:30Z');
let urlIds: [number, number];

beforeEach(async () => {
  await resetLedger(db());
  urlIds = (await createUrlIds(db(), 2)) as [number, number];
  await db()('urls').where({ id: urlIds[0] }).update({ short_code: 'forgotten' });
});

/** Counts clicks on both short URLs, with and without an event, in several hours. */
async function countClicks(count = 10, hours = 5): Promise<void> {
  const clicks = Array.from({ length: hours }, (_, i) => beginMs + i * hourMs).flatMap((lastAtMs) =>
    urlIds.flatMap((urlId) =>
      [makeDetail(), undefined].map((detail) => ({ urlId, count, lastAtMs, detail })),
    ),
  );
  await openClickStore(db()).apply([makeDetailedBatch(clicks)]);
}

const readAnalytics = async (urlId: number) =>
  Object.keys(await readMetrics(db())).filter((name) => name.startsWith(`${urlId} `));

async function expectExact(): Promise<void> {
  expect(isExact(await readAudit(db()))).toBe(true);
  expect((await readAnalyticsAudit(db())).differing).toEqual([]);
}

test.each([
  ['keep', 100, 0],
  ['clear', 0, 100],
] as const)('totals=%s leaves only a total of %i, and the audit is exact', async (totals, left, purged) => {
  await countClicks();
  await createClickEraser(db()).erase('forgotten', null, totals);
  expect(await readAnalytics(urlIds[0])).toEqual([]);
  expect(await readCounts(db(), urlIds)).toEqual([left, 100]);
  expect((await readAudit(db())).purged).toBe(purged);
  await expectExact();
  await countClicks();
  expect(await readCounts(db(), urlIds)).toEqual([left + 100, 200]);
  await expectExact();
});

/** Counts one click per visitor on both short URLs within one hour. */
async function countVisitors(visitors: number): Promise<void> {
  const clicks = urlIds.flatMap((urlId) =>
    Array.from({ length: visitors }, (_, visitor) => ({
      urlId,
      count: 1,
      lastAtMs: beginMs + visitor,
      detail: makeDetail({ visitor }),
    })),
  );
  await openClickStore(db()).apply([makeDetailedBatch(clicks)]);
}

test('click events are deleted in steps, and totals match after each of them', async () => {
  await countVisitors(100);
  await createClickSegments(db()).rollUp({ always: true });
  const countLeft = async () =>
    (await readAnalytics(urlIds[0])).filter((name) => name.includes(' row ')).length;
  const holder = await db().transaction();
  let forgetting: Promise<void>;
  try {
    const [last] = (await holder('url_analytics')
      .where({ url_id: urlIds[0] })
      .orderBy('at', 'desc')
      .limit(1)
      .forUpdate()) as unknown[];
    expect(last).toBeDefined();
    forgetting = createClickEraser(db(), { rows: 15, days: 30 }).erase('forgotten', null, 'clear');
    await waitUntil('the last step waits for the lock', async () => (await countLeft()) === 10);
    await expectExact();
  } finally {
    await holder.rollback();
  }
  await forgetting;
  expect(await readAnalytics(urlIds[0])).toEqual([]);
  await expectExact();
});

test('many days are deleted in steps, and a removal that timed out can be repeated', async () => {
  await countClicks(10, 200);
  await createClickSegments(db()).rollUp({ always: true });
  const holder = await db().transaction();
  try {
    // Cancels the third step; each step deletes two of the nine days.
    await holder.raw('select from url_clicks_daily where url_id = ? and day = ? for update', [
      urlIds[0],
      '2026-11-23',
    ]);
    const forgetting = createClickEraser(db(), { rows: 20_000, days: 2 }).erase('forgotten', null, 'keep');
    const outcome = forgetting.catch((error: unknown) => error);
    await waitUntil('the delete statement is cancelled', async () => {
      const { rows } = await db().raw(
        `select pg_cancel_backend(pid) from pg_stat_activity
         where wait_event_type = 'Lock' and datname = current_database() and query like 'delete from url_clicks_daily%'`,
      );
      return rows.length > 0;
    });
    expect(await outcome).toBeInstanceOf(StatementTimeout);
  } finally {
    await holder.rollback();
  }
  const days = (await readAnalytics(urlIds[0])).flatMap((name) => /2026-11-\d\d/.exec(name) ?? []);
  expect(days.toSorted((one, other) => one.localeCompare(other))[0]).toBe('2026-11-23');
  await expectExact();
  await createClickEraser(db()).erase('forgotten', null, 'keep');
  expect(await readAnalytics(urlIds[0])).toEqual([]);
  await expectExact();
});

test('totals match after each step while clicks are counted, and no click is lost', async () => {
  await countClicks(15_000);
  const ending = new AbortController();
  const flushing = Promise.all(
    [1, 2, 3].map(async () => {
      while (!ending.signal.aborted) await countClicks(1);
    }),
  );
  for (let i = 0; i < 6; i++) {
    await createClickEraser(db(), { rows: 15, days: 1 }).erase(
      'forgotten',
      null,
      i % 2 === 0 ? 'clear' : 'keep',
    );
    expect((await readAnalyticsAudit(db())).differing).toEqual([]);
  }
  ending.abort();
  await flushing;
  await expectExact();
  const [counted, other] = (await readCounts(db(), urlIds)) as [number, number];
  expect(counted + (await readAudit(db())).purged).toBe(other);
  expect(await countDeadlocks(db())).toBe(0);
});

test('a short URL of another owner is not found', async () => {
  await expect(createClickEraser(db()).erase('forgotten', 1, 'clear')).rejects.toThrow(UrlNotFound);
  await expect(createClickEraser(db()).erase('unknown', null, 'clear')).rejects.toThrow(UrlNotFound);
});
