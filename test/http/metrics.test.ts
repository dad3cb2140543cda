import { expect, test } from 'vitest';
import { createClient } from '../support/client.ts';
import { sendRedirects } from '../support/load.ts';
import { startWeb } from '../support/processes.ts';
import { createUrl } from '../support/urls.ts';
import { useWeb } from '../support/web-app.ts';

const token = 'a token of 24 characters'.replaceAll(' ', '-');
const web = useWeb({ METRICS_TOKEN: token });
const bearer = (secret: string) => ({ authorization: `Bearer ${secret}` });

async function readMetrics(): Promise<Record<string, number>> {
  const response = await fetch(`${web.baseUrl()}/metrics`, { headers: bearer(token) });
  expect([response.status, response.headers.get('content-type')]).toEqual([
    200,
    expect.stringContaining('text/plain'),
  ]);
  const lines = (await response.text()).split('\n').filter((line) => /^\w+ /.test(line));
  return Object.fromEntries(
    lines.map((line) => line.split(' ')).map(([name, value]) => [name!, Number(value)]),
  );
}

test('clicks are in the metrics at once: those accepted, and those on their way', async () => {
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
  expect([after['linkmill_clicks_to_redis'], after['linkmill_clicks_dropped_total']]).toEqual([1, 0]);
  expect(after['process_resident_memory_bytes']).toBeGreaterThan(1_000_000);
});

test.each([
  ['no token', {}],
  ['a wrong token', bearer('wrong')],
  ['an empty token', bearer('')],
  ['the token of another length', bearer(`${token}x`)],
])('the metrics answer 401 to %s and show nothing', async (_, headers) => {
  const response = await fetch(`${web.baseUrl()}/metrics`, { headers });
  expect(response.status).toBe(401);
  expect(await response.text()).not.toContain('linkmill_');
});

test('an API key is no token for the metrics', async () => {
  expect((await web.client().get('/metrics')).status).toBe(401);
});

test('without METRICS_TOKEN there are no metrics, whatever is given', async () => {
  const other = await startWeb({ DATABASE_URL: web.database.url(), REDIS_URL: web.redis.url() });
  try {
    for (const headers of [{}, bearer(token), bearer('')])
      expect((await createClient(other.baseUrl).get('/metrics', headers)).status).toBe(404);
  } finally {
    await other.stop();
  }
});
