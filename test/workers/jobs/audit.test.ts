import { expect, test } from 'vitest';
import { createClickSegments } from '../../../src/analytics/rollups/segments.ts';
import { jobs } from '../../../src/queues/jobs.ts';
import { readCounted } from '../../support/clicks/counts.ts';
import { readProgress, runJob } from '../../support/jobs.ts';
import { useService } from '../../support/processes/service.ts';
import { createUrl } from '../../support/urls/urls.ts';
import { waitUntil } from '../../support/wait-until.ts';

const service = useService();
const { client, database, redis } = service;

interface Result {
  exact: boolean;
  accepted: number;
  checked: number;
  skipped: number;
  difference_count: number;
  differences: { short_code: string; metric: string; expected: number; found: number }[];
}

const audit = async () => (await runJob(client(), 'audit'))['result'] as Result;

/** Visits a short URL, and waits until its clicks are counted. */
async function visit(shortCode: string, times: number) {
  for (let i = 0; i < times; i += 1) await fetch(`${service.baseUrl()}/${shortCode}`, { redirect: 'manual' });
  await waitUntil(
    'the clicks are counted',
    async () => (await readCounted(database.db())).get(shortCode) === times,
  );
}

test('an audit is exact when all clicks are counted, and reports its progress', async () => {
  const shortCode = await createUrl(client());
  await createUrl(client());
  await visit(shortCode, 3);
  const result = await audit();
  expect(result).toMatchObject({ exact: true, checked: 2, skipped: 0, difference_count: 0, differences: [] });
  expect(result.accepted).toBe(3);
  const progress = await readProgress(redis.redis(), redis.prefix, 'audit');
  expect(progress.at(-1)).toBe(100);
});

test('an audit names the short URL and the numbers that differ, and changes nothing', async () => {
  const shortCode = await createUrl(client());
  await visit(shortCode, 2);
  await waitUntil('the clicks are exact', async () => (await audit()).exact, 30_000);
  const db = database.db();
  const { id } = await db('urls').where({ short_code: shortCode }).first<{ id: number }>('id');
  await createClickSegments(db).rollUp({ always: true });
  const daily = db('url_clicks_daily').where({ url_id: id, dimension: 'country' });
  expect(await daily.clone().increment('clicks', 5)).toBe(1);
  const result = await audit();
  expect(result.exact).toBe(false);
  expect(result.differences).toEqual([
    { short_code: shortCode, metric: 'clicks by country', expected: 2, found: 7 },
  ]);
  expect((await audit()).differences).toEqual(result.differences);
  await daily.clone().decrement('clicks', 5);
});

test('an audit is not exact when a counted click is on no short URL', async () => {
  const shortCode = await createUrl(client());
  await visit(shortCode, 1);
  await waitUntil('the clicks are exact', async () => (await audit()).exact, 30_000);
  const db = database.db();
  await db('click_ledger_totals').increment('purged_clicks', 1);
  expect(await audit()).toMatchObject({ exact: false, difference_count: 0 });
  await db('click_ledger_totals').decrement('purged_clicks', 1);
});

test('an audit has no schedule', () => {
  expect(jobs.audit.schedules()).toEqual([]);
});
