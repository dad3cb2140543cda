import { expect, test } from 'vitest';
import { openPrometheus } from '../../support/http/prometheus.ts';
import { useWeb } from '../../support/http/web-app.ts';
import { sendRedirects } from '../../support/processes/load.ts';
import { createUrl, insertUrls } from '../../support/urls/urls.ts';
import { waitUntil } from '../../support/wait-until.ts';

const web = useWeb({ METRICS_PUBLIC: 'true' });
const tiers = ['memory', 'redis', 'database', 'stale'];
const outcomes = [...tiers, 'not_found', 'unavailable', 'error'];

/** The outcomes that `requests` increase, with their increase. */
async function countOutcomes(requests: () => Promise<unknown>): Promise<Record<string, number>> {
  const before = await openPrometheus(web.baseUrl());
  await requests();
  const after = await openPrometheus(web.baseUrl());
  const value = (metrics: typeof after, outcome: string) =>
    metrics.value('linkmill_redirects_total', { outcome });
  const grown = outcomes.map((outcome) => [outcome, value(after, outcome) - value(before, outcome)] as const);
  return Object.fromEntries(grown.filter(([, count]) => count !== 0));
}

test('a redirect to a non-ASCII URL from an external write succeeds', async () => {
  const row = ['beyond-ascii', 'https://example.com/☃'];
  await web.database.db().raw('insert into urls (short_code, original_url) values (?, ?)', row);
  const visit = async () => expect((await web.client().get('/beyond-ascii')).status).toBe(301);
  expect(await countOutcomes(visit)).toEqual({ database: 1 });
});

test('an exhausted click limit and an unknown short code do not count as errors', async () => {
  const code = await createUrl(web.client(), { max_clicks: 1 });
  await web.client().get(`/${code}`);
  const refused = await countOutcomes(async () => {
    expect((await web.client().get(`/${code}`)).status).toBe(410);
    expect((await web.client().get('/unknown')).status).toBe(404);
  });
  expect(refused).toMatchObject({ not_found: 1 });
  expect(refused).not.toHaveProperty('error');
});

test('a redirect that fails late never decreases a counter', async () => {
  const code = await createUrl(web.client(), { max_clicks: 5 });
  const db = web.database.db();
  const read = async () => {
    const metrics = await openPrometheus(web.baseUrl());
    return outcomes.map((outcome) => metrics.value('linkmill_redirects_total', { outcome }));
  };
  const before = await read();
  let during = before;
  const status = await db.transaction(async (trx) => {
    await trx.raw('lock table url_usage in access exclusive mode');
    const visit = web.client().get(`/${code}`);
    await waitUntil('the redirect waits for the usage limit', async () => {
      const { rows } = await db.raw(
        'select 1 from pg_locks where not granted and database = (select oid from pg_database where datname = current_database())',
      );
      return rows.length > 0;
    });
    during = await read();
    return (await visit).status;
  });
  const after = await read();
  expect(status).toBe(503);
  expect(during.map((value, i) => value >= before[i]! && after[i]! >= value)).not.toContain(false);
  const grown = after.map((value, i) => value - before[i]!);
  expect(grown).toEqual(outcomes.map((outcome) => (outcome === 'unavailable' ? 1 : 0)));
});

test('sampled redirects are measured by tier', async () => {
  await insertUrls(web.database.db(), { begin: 'table-', count: 1_000 });
  const codes = Array.from({ length: 1_000 }, (_, i) => `table-${i}`);
  const before = await openPrometheus(web.baseUrl());
  await sendRedirects(web.baseUrl(), codes);
  const hot = Array.from({ length: 1_000 }, () => 'table-0');
  await sendRedirects(web.baseUrl(), hot);
  const after = await openPrometheus(web.baseUrl());
  const measured = (tier: string) => {
    const name = 'linkmill_redirect_duration_seconds';
    return after.histogram(name, { tier }).count - before.histogram(name, { tier }).count;
  };
  // At least one in 127 is sampled.
  expect(measured('database')).toBeGreaterThanOrEqual(7);
  expect(measured('memory')).toBeGreaterThanOrEqual(7);
  const sum = tiers.map(measured).reduce((total, count) => total + count);
  expect(sum).toBeLessThan(200);
});
