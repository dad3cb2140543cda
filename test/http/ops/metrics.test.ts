import { expect, test } from 'vitest';
import { createQueues } from '../../../src/queues/queues.ts';
import { createClient } from '../../support/http/client.ts';
import { openPrometheus } from '../../support/http/prometheus.ts';
import { useWeb } from '../../support/http/web-app.ts';
import { sendRedirects } from '../../support/processes/load.ts';
import { startWeb } from '../../support/processes/processes.ts';
import { silentLog, storeSettings } from '../../support/resources.ts';
import { createUrl, insertUrls } from '../../support/urls/urls.ts';
import { waitUntil } from '../../support/wait-until.ts';

const token = 'a token of 24 characters'.replaceAll(' ', '-');
const web = useWeb({ METRICS_TOKEN: token });
const bearer = (secret: string) => ({ authorization: `Bearer ${secret}` });

async function readMetrics(): Promise<Record<string, number>> {
  const response = await fetch(`${web.baseUrl()}/metrics`, { headers: bearer(token) });
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toContain('text/plain');
  const samples = (await response.text()).matchAll(/^(\w+(?:\{.*\})?) (\S+)$/gm);
  return Object.fromEntries([...samples].map(([, name, value]) => [name!, Number(value)]));
}

test('accepted and unconfirmed clicks are in the metrics immediately', async () => {
  const code = await createUrl(web.client());
  const before = await readMetrics();
  await sendRedirects(
    web.baseUrl(),
    Array.from({ length: 40 }, () => code),
  );
  await web.client().head(`/${code}`);
  const after = await readMetrics();
  expect(after['linkmill_clicks_accepted_total']! - before['linkmill_clicks_accepted_total']!).toBe(40);
  expect(after['linkmill_click_batches_unconfirmed']).toBeGreaterThan(0);
  expect(after['linkmill_click_batches_waiting']).toBeGreaterThan(0);
  expect(after['linkmill_click_lag_seconds']).toBeGreaterThan(0);
  expect(after['linkmill_click_stream_available']).toBe(1);
  expect(after['linkmill_clicks_dropped_total']).toBe(0);
  expect(after['linkmill_dependency_up{dependency="redis"}']).toBe(1);
  expect(after['linkmill_dependency_up{dependency="postgres"}']).toBe(1);
  expect(after['linkmill_load_shed_requests_total{kind="api"}']).toBe(0);
  expect(after['process_resident_memory_bytes']).toBeGreaterThan(1_000_000);
});

test('redirects are counted by outcome, and the memory cache by entries', async () => {
  await insertUrls(web.database.db(), { begin: 'in-the-table-', count: 1 });
  await insertUrls(web.database.db(), { begin: 'expired-', count: 1, expiresAt: new Date(0) });
  const code = await createUrl(web.client());
  const before = await readMetrics();
  for (const path of ['in-the-table-0', 'expired-0', code, code, 'unknown', code])
    await web.client().get(`/${path}`);
  await web.client().head(`/${code}`);
  const after = await readMetrics();

  const redirects = (outcome: string) => {
    const name = `linkmill_redirects_total{outcome="${outcome}"}`;
    return after[name]! - before[name]!;
  };
  const ended = ['database', 'not_found', 'expired', 'unavailable'].map(redirects);
  expect(ended).toEqual([1, 1, 1, 0]);
  // Entries may expire in between on a slow machine.
  expect(redirects('memory')).toBeGreaterThan(0);
  expect(redirects('redis')).toBeGreaterThan(0);
  expect(redirects('memory') + redirects('redis')).toBe(4);
  const entries = 'linkmill_memory_cache_entries';
  expect(after[entries]! - before[entries]!).toBe(3);
});

test('responses are counted by method, route and status', async () => {
  const code = await createUrl(web.client());
  await web.client().get(`/api/v1/urls/${code}`);
  await web.client().get('/api/v1/urls/unknown');
  await web.client().get('/api/v1/urls/unknown-too');
  await web.client(null).delete(`/api/v1/urls/${code}`);
  await web.client().get('/no/such/route');
  const metrics = await readMetrics();
  const ofUrl = (method: string, status: number) =>
    `linkmill_http_requests_total{method="${method}",route="/api/v1/urls/:short_code",status="${status}"}`;
  expect(metrics).toMatchObject({
    [ofUrl('GET', 200)]: 1,
    [ofUrl('GET', 404)]: 2,
    [ofUrl('DELETE', 401)]: 1,
  });
  expect(Object.keys(metrics).filter((name) => name.includes('such'))).toEqual([]);
});

test('the metrics count redirects, requests, problems, clicks, jobs and keys', async () => {
  const code = await createUrl(web.client());
  const before = await openPrometheus(web.baseUrl(), bearer(token));
  await sendRedirects(
    web.baseUrl(),
    Array.from({ length: 1_000 }, () => code),
  );
  await Promise.all([1, 2, 3].map(async () => await web.client().get(`/api/v1/urls/${code}`)));
  await Promise.all(['unknown-1', 'unknown-2'].map(async (unknown) => await web.client().get(`/${unknown}`)));
  await web.client(null).get(`/api/v1/urls/${code}`);
  await createQueues(web.redis.redis(), web.redis.prefix, silentLog).add('warm-cache', {});
  await web.redis.redis().rpush(`${web.redis.prefix}:keys:pool`, 'key-1', 'key-2');
  const keys = await web.redis.redis().llen(`${web.redis.prefix}:keys:pool`);

  // On a busy machine, samples from Redis may be absent for a while.
  const after = await waitUntil('the metrics match Redis', async () => {
    const read = await openPrometheus(web.baseUrl(), bearer(token));
    return read.value('linkmill_key_pool_size') === keys && read;
  });
  const grown = (name: string, labels = {}) => after.value(name, labels) - before.value(name, labels);
  expect(grown('linkmill_clicks_accepted_total')).toBe(1_000);
  expect(grown('linkmill_http_problems_total', { type: 'not_found' })).toBe(2);
  expect(grown('linkmill_http_problems_total', { type: 'unauthorized' })).toBe(1);
  const route = { method: 'GET', route: '/api/v1/urls/:short_code' };
  const durations = 'linkmill_http_request_duration_seconds';
  expect(after.histogram(durations, route).count).toBe(before.histogram(durations, route).count + 4);
  // At least one in 127 is sampled.
  const { count, buckets } = after.histogram('linkmill_redirect_duration_seconds', { tier: 'memory' });
  expect(count).toBeGreaterThanOrEqual(7);
  expect(count).toBeLessThan(100);
  expect(buckets['5']).toBe(count);
  expect(after.value('linkmill_queue_jobs', { queue: 'warm-cache', state: 'waiting' })).toBe(1);
  expect(after.value('linkmill_queue_jobs', { queue: 'warm-cache', state: 'failed' })).toBe(0);
  expect(after.value('linkmill_queue_oldest_job_age_seconds', { queue: 'warm-cache' })).toBeGreaterThan(0);
  expect(after.value('linkmill_queue_oldest_job_age_seconds', { queue: 'flush-clicks' })).toBe(0);
  expect(after.value('process_resident_memory_bytes')).toBeGreaterThan(1_000_000);
});

test.each([
  ['no token', {}],
  ['a wrong token', bearer('wrong')],
  ['an empty token', bearer('')],
  ['the token of another length', bearer(`${token}x`)],
])('the metrics answer 401 to %s', async (_, headers) => {
  const response = await fetch(`${web.baseUrl()}/metrics`, { headers });
  expect(response.status).toBe(401);
  expect(await response.text()).not.toContain('linkmill_');
});

test('an API key does not authorize the metrics', async () => {
  expect((await web.client().get('/metrics')).status).toBe(401);
});

test('public metrics need no token, and contain no user data', async () => {
  const open = await startWeb({
    ...storeSettings(web.database, web.redis),
    METRICS_PUBLIC: 'true',
  });
  try {
    const code = await createUrl(createClient(open.baseUrl, web.apiKey()));
    await createClient(open.baseUrl).get(`/${code}`);
    const response = await fetch(`${open.baseUrl}/metrics`);
    const text = await response.text();
    expect(response.status).toBe(200);
    expect(text).toContain('linkmill_clicks_accepted_total 1');
    for (const secret of [code, web.apiKey(), 'example.com', '127.0.0.1']) expect(text).not.toContain(secret);
  } finally {
    await open.stop();
  }
});

test('without METRICS_TOKEN the metrics answer 404', async () => {
  const other = await startWeb({ DATABASE_URL: web.database.url(), REDIS_URL: web.redis.url() });
  try {
    for (const headers of [{}, bearer(token), bearer('')])
      expect((await createClient(other.baseUrl).get('/metrics', headers)).status).toBe(404);
  } finally {
    await other.stop();
  }
});
