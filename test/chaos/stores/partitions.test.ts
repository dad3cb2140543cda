import { expect, test } from 'vitest';
import { createHeaders, detailSettings } from '../../load/day/visitors.ts';
import { readAnalyticsAudit } from '../../support/clicks/analytics.ts';
import { findMiscounted, readCounted } from '../../support/clicks/counts.ts';
import { runJob } from '../../support/jobs.ts';
import { countAll, sendRedirects, startLoadOnAll } from '../../support/processes/load.ts';
import { startWeb } from '../../support/processes/processes.ts';
import { useService } from '../../support/processes/service.ts';
import { storeSettings } from '../../support/resources.ts';
import { insertUrls } from '../../support/urls/urls.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { createFakeClock } from '../matrix/fake-clock.ts';

const dayMs = 86_400_000;
const service = useService(detailSettings);
const db = () => service.database.db();

const insertCodes = async (begin: string) => {
  await insertUrls(db(), { begin, count: 50, areClicked: false });
  return Array.from({ length: 50 }, (_, n) => `${begin}${n}`);
};

async function countClicks(): Promise<number> {
  return countAll(await readCounted(db()));
}

/** Clicks in the rows of a partition. */
async function countIn(partition: string): Promise<number> {
  const [row] = await db()(partition).sum<{ clicks: string | null }[]>('clicks as clicks');
  return Number(row?.clicks);
}

/** The partition that holds the newest row. */
async function findPartition(): Promise<string> {
  const { rows } = await db().raw<{ rows: { name: string }[] }>(
    'select cast(tableoid as regclass) as name from url_analytics order by at desc limit 1',
  );
  return rows[0]!.name;
}

test('dropping a partition under load fails no request and loses no click from the counts', async () => {
  const codes = await insertCodes('dropped');
  await runJob(service.client(), 'maintain-analytics');
  const load = startLoadOnAll([service.baseUrl()], codes, {
    clients: 8,
    headers: createHeaders('dropped', 300),
    thinkMs: () => 10,
  });
  await waitUntil('200 rows are written', async () => (await countIn('url_analytics')) > 200, 20_000);
  const partition = await findPartition();
  expect(partition).toMatch(/^url_analytics_\d{8}$/);
  await db().raw('drop table ??', [partition]);
  const before = await countClicks();
  await waitUntil('300 more clicks are counted', async () => (await countClicks()) > before + 300, 20_000);
  expect(await countIn('url_analytics_other_days')).toBeGreaterThan(0);
  expect(await runJob(service.client(), 'maintain-analytics')).toMatchObject({
    result: { created: 1, skipped: 0 },
  });
  expect(await countIn(partition)).toBeGreaterThan(0);
  const tally = await load.stop();
  expect(tally.failures).toEqual([]);
  await waitUntil(
    'every click is counted',
    async () => findMiscounted(tally, await readCounted(db())).length === 0,
    20_000,
  );
  expect(await countIn('url_analytics_other_days')).toBe(0);
  const { differing } = await readAnalyticsAudit(db());
  const metrics = differing.map(({ metric }) => metric);
  // The dropped click events are missing, also in the values by day if they were not rolled up, but not in the hours.
  expect(metrics).toContain('click events');
  expect(metrics).not.toContain('clicks by hour');
});

test('clicks of web processes whose clocks are wrong are counted at the times of those clocks', async () => {
  const codes = await insertCodes('skewed');
  await runJob(service.client(), 'maintain-analytics');
  const offsets = [-200 * dayMs, -5 * 3_600_000, 3 * 3_600_000, 400 * dayMs];
  const begunAt = Date.now();
  for (const [i, offsetMs] of offsets.entries()) {
    const clock = await createFakeClock();
    await clock.setOffset(offsetMs / 1_000);
    const web = await startWeb({
      ...storeSettings(service.database, service.redis),
      ...detailSettings,
      ...clock.settings,
    });
    const own = codes.slice(i * 10, (i + 1) * 10);
    const tally = await sendRedirects(web.baseUrl, Array.from({ length: 40 }, () => own).flat(), 4);
    expect(countAll(tally.answered)).toBe(400);
    expect(tally.failures).toEqual([]);
    expect(await web.stop()).toBe(0);
    await clock.remove();
  }
  await waitUntil('every click is counted', async () => {
    const counted = await readCounted(db());
    return codes.slice(0, 40).every((code) => counted.get(code) === 40);
  });
  const takenMs = Date.now() - begunAt + 900_000;
  for (const [i, offsetMs] of offsets.entries()) {
    const { rows } = await db().raw<{ rows: { clicks: number; at: Date }[] }>(
      `select cast(sum(clicks) as bigint) as clicks, min(at) as at from url_clicks_quarter_hourly join urls on id = url_id
       where short_code = any(cast(:codes as text[]))`,
      { codes: codes.slice(i * 10, (i + 1) * 10) },
    );
    expect(rows[0]!.clicks).toBe(400);
    expect(Math.abs(rows[0]!.at.getTime() - (begunAt + offsetMs))).toBeLessThan(takenMs);
  }
  // Clicks past their retention have no row; those of next year wait in the partition for other days.
  expect(await countIn('url_analytics_other_days')).toBe(400);
  expect(await runJob(service.client(), 'maintain-analytics')).toMatchObject({
    result: { skipped: 0, dropped: 0 },
  });
  const { differing } = await readAnalyticsAudit(db());
  expect(differing.filter(({ shortCode }) => shortCode.startsWith('skewed'))).toEqual([]);
});
