import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { openClickEvents } from '../../support/clicks/click-events.ts';
import { openPrometheus } from '../../support/http/prometheus.ts';
import { useWeb } from '../../support/http/web-app.ts';
import { createUrl } from '../../support/urls/urls.ts';
import { waitUntil } from '../../support/wait-until.ts';

const web = useWeb({ METRICS_PUBLIC: 'true', DATABASE_POOL_MAX: '3' });
const read = async () => await openPrometheus(web.baseUrl());
const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

test('build_info has the versions of Linkmill and Node.js', async () => {
  const node = process.versions.node;
  expect((await read()).value('linkmill_build_info', { version, node })).toBe(1);
});

test('request durations are measured by route template', async () => {
  const code = await createUrl(web.client());
  for (const path of [`/api/v1/urls/${code}`, '/api/v1/urls/unknown', '/health', '/no/such/route'])
    await web.client().get(path);
  const metrics = await read();
  const count = (method: string, route: string) =>
    metrics.histogram('linkmill_http_request_duration_seconds', { method, route }).count;
  expect(count('GET', '/api/v1/urls/:short_code')).toBe(2);
  expect(count('GET', '/health')).toBe(1);
  expect(count('POST', '/api/v1/urls')).toBe(
    metrics.value('linkmill_http_requests_total', { method: 'POST', route: '/api/v1/urls', status: '201' }),
  );
});

test('an open stream of click events is counted until it is closed', async () => {
  const stream = await openClickEvents(`${web.baseUrl()}/api/v1/clicks/stream`, {
    'x-api-key': web.apiKey(),
  });
  expect((await read()).value('linkmill_click_event_streams')).toBe(1);
  // The duration until the stream began is measured, not how long it stays open.
  const { count } = (await read()).histogram('linkmill_http_request_duration_seconds', {
    route: '/api/v1/clicks/stream',
  });
  expect(count).toBe(1);
  stream.close();
  await waitUntil(
    'the stream is closed',
    async () => (await read()).value('linkmill_click_event_streams') === 0,
  );
});

test('statements that wait for a connection are counted, and measured afterwards', async () => {
  const pool = 'web';
  const code = await createUrl(web.client());
  const before = await read();
  const lock = await web.database.db().transaction();
  await lock.raw('lock table urls in access exclusive mode');
  const requests = Array.from({ length: 8 }, async () => await web.client().get(`/api/v1/urls/${code}`));
  const during = await waitUntil('statements wait', async () => {
    const metrics = await read();
    const waiting = metrics.value('linkmill_postgres_pool_waiting_requests', { pool });
    const inUse = metrics.value('linkmill_postgres_pool_connections', { pool, state: 'in_use' });
    return waiting > 0 && inUse === 3 && metrics;
  });
  await lock.rollback();
  await Promise.all(requests);
  const after = await read();

  expect(during.value('linkmill_postgres_pool_max_connections', { pool })).toBe(3);
  expect(after.value('linkmill_postgres_pool_waiting_requests', { pool })).toBe(0);
  expect(after.value('linkmill_postgres_pool_connections', { pool, state: 'idle' })).toBeGreaterThan(0);
  const grown = (name: string) =>
    after.histogram(name, { pool }).count - before.histogram(name, { pool }).count;
  expect(grown('linkmill_postgres_query_duration_seconds')).toBeGreaterThanOrEqual(8);
  expect(grown('linkmill_postgres_pool_acquire_duration_seconds')).toBeGreaterThanOrEqual(8);
});

test('the metrics contain each pool of a web process', async () => {
  const metrics = await read();
  const pools = [
    'web',
    'web_clicks',
    'web_analytics',
    'web_single_clicks',
    'web_search',
    'web_blocked_hosts',
  ];
  const limits = pools.map((pool) => metrics.value('linkmill_postgres_pool_max_connections', { pool }));
  expect(Math.min(...limits)).toBeGreaterThan(0);
});
