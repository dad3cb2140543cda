import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, test } from 'vitest';
import { createApiKeys } from '../../../src/api-keys/api-keys.ts';
import { version } from '../../../src/version.ts';
import { type Client, createClient } from '../../support/http/client.ts';
import { useWeb } from '../../support/http/web-app.ts';
import { startWeb } from '../../support/processes/processes.ts';
import { waitUntil } from '../../support/wait-until.ts';

const web = useWeb();
const nowhere = '127.0.0.1:1';

/** The health once clicks are stored there; elsewhere only after the first failed attempt on Redis. */
const untilClicksGoTo = async (client: Client, store: 'postgres' | 'redis') =>
  await waitUntil(`clicks go to ${store}`, async () => {
    const answer = await client.get('/health');
    return (answer.body['works'] as { clicks: string }).clicks === store && answer;
  });

test('GET / shows name and version without an API key', async () => {
  const answer = await web.client(null).get('/');
  expect(answer.body).toEqual({ service: 'linkmill', version });
});

test('with both stores the service is healthy, live and ready', async () => {
  const { redis } = web.redis;
  await redis().rpush(`${web.redis.prefix}:keys:pool`, 'aaaaaaa', 'bbbbbbb');
  const health = await web.client(null).get('/health');
  expect(health.status).toBe(200);
  expect(health.headers.get('cache-control')).toBe('no-store');
  expect(health.body).toEqual({
    status: 'healthy',
    timestamp: expect.stringMatching(/Z$/),
    version,
    conditions: [],
    works: { redirects: 'all', api: 'all', jobs: true, clicks: 'redis' },
    kgs_pool_size: 2,
    clicks: {
      lag_seconds: expect.any(Number),
      waiting_batches: 0,
      unconfirmed_batches: 0,
      dropped_clicks: 0,
    },
    load: { event_loop_delay_ms: expect.any(Number), rejected_share: { api: 0, redirects: 0 } },
    checks: {
      postgres: { status: 'up', latency_ms: expect.any(Number), breaker: 'closed' },
      redis: { status: 'up', latency_ms: expect.any(Number), breaker: 'closed' },
    },
  });
  expect((await web.client(null).get('/health/live')).status).toBe(200);
  expect((await web.client(null).get('/health/ready')).status).toBe(200);
});

test('a batch that waits too long degrades the service', async () => {
  const { redis, prefix } = web.redis;
  const [seconds] = await redis().time();
  const stream = `${prefix}:clicks:{0}`;
  await redis().xadd(stream, `${(Number(seconds) - 120) * 1_000}-0`, 'not', 'a batch');
  const health = await waitUntil('the batch is reported', async () => {
    const answer = await web.client(null).get('/health');
    return answer.body['status'] === 'degraded' && answer;
  });
  await redis().del(stream);
  expect(health.status).toBe(200);
  expect(health.body['status']).toBe('degraded');
  const clicks = health.body['clicks'] as Record<string, number>;
  expect(clicks).toMatchObject({ waiting_batches: 1, unconfirmed_batches: 0 });
  expect(clicks['lag_seconds']).toBeGreaterThanOrEqual(119);
  const readClicks = async () => (await web.client(null).get('/health')).body['clicks'];
  await waitUntil(
    'the batch is no longer reported',
    async () => ((await readClicks()) as Record<string, number>)['waiting_batches'] === 0,
  );
});

test('without Redis the service is degraded and ready, and fully works', async () => {
  const { key } = await createApiKeys(web.database.db()).create('without Redis');
  const degraded = await startWeb({
    DATABASE_URL: web.database.url(),
    REDIS_URL: `redis://${nowhere}`,
    CLICK_ACK_MS: '50',
  });
  try {
    const client = createClient(degraded.baseUrl, key);
    const health = await untilClicksGoTo(client, 'postgres');
    expect(health.status).toBe(200);
    expect(health.body).toMatchObject({
      status: 'degraded',
      works: { redirects: 'all', api: 'all', jobs: false, clicks: 'postgres' },
      kgs_pool_size: null,
      checks: { postgres: { status: 'up' }, redis: { status: 'down' } },
    });
    expect((await client.get('/health/ready')).status).toBe(200);
    expect((await client.get('/health/live')).status).toBe(200);

    const created = await client.post('/api/v1/urls', { original_url: 'https://example.com/page' });
    expect(created.status).toBe(201);
    const code = String(created.body['short_code']);
    const redirected = await client.get(`/${code}`);
    expect(redirected.status).toBe(301);
    expect(redirected.headers.get('location')).toBe('https://example.com/page');
    expect((await client.get('/api/v1/codes')).status).toBe(200);

    const job = await client.post('/api/v1/jobs/flush-clicks', {});
    expect(job.status).toBe(503);
    expect(job.headers.get('retry-after')).toMatch(/^\d+$/);

    expect((await client.delete(`/api/v1/urls/${code}`)).status).toBe(204);
    expect((await client.get(`/${code}`)).status).toBe(404);
    expect((await client.get('/unknown1')).status).toBe(404);
  } finally {
    await degraded.stop();
  }
});

test('without PostgreSQL the service redirects from the cache and answers 503 elsewhere', async () => {
  const cached = await web.client().post('/api/v1/urls', { original_url: 'https://example.com/cached' });
  const degraded = await startWeb({
    DATABASE_URL: `postgres://unknown@${nowhere}/nothing`,
    REDIS_URL: web.redis.url(),
    REDIS_PREFIX: web.redis.prefix,
    SHUTDOWN_DEADLINE_MS: '1000',
  });
  try {
    const client = createClient(degraded.baseUrl, web.apiKey());
    const health = await untilClicksGoTo(client, 'redis');
    expect(health.status).toBe(200);
    expect(health.body).toMatchObject({
      status: 'degraded',
      works: { redirects: 'cached', api: 'none', clicks: 'redis' },
      checks: { postgres: { status: 'down' } },
    });
    // On a busy machine the missing worker is reported meanwhile.
    const codes = (health.body['conditions'] as { code: string }[]).map(({ code }) => code);
    expect(health.body).toHaveProperty('works.jobs', !codes.includes('workers_missing'));
    expect((await client.get('/health/ready')).status).toBe(200);

    expect((await client.get(`/${String(cached.body['short_code'])}`)).status).toBe(301);
    for (const answer of [
      await client.get('/unknown2'),
      await client.post('/api/v1/urls', { original_url: 'https://example.com/' }),
    ]) {
      expect(answer.status).toBe(503);
      expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
      expect(answer.headers.get('content-type')).toContain('application/problem+json');
    }
  } finally {
    await degraded.stop();
  }
});

test('without both stores the service is unhealthy, not ready and live', async () => {
  const degraded = await startWeb({
    DATABASE_URL: `postgres://unknown@${nowhere}/nothing`,
    REDIS_URL: `redis://${nowhere}`,
  });
  try {
    const client = createClient(degraded.baseUrl);
    const health = await client.get('/health');
    expect(health.status).toBe(503);
    expect(health.body['status']).toBe('unhealthy');
    expect(health.body['works']).toMatchObject({ redirects: 'memory', api: 'none', jobs: false });
    expect((await client.get('/health/ready')).status).toBe(503);
    expect((await client.get('/health/live')).status).toBe(200);
  } finally {
    await degraded.stop();
  }
});

test('concurrent health checks share one query to a hanging PostgreSQL', async () => {
  let connections = 0;
  const silent = createServer((socket) => {
    socket.on('error', () => {});
    // The application name of the pool for requests.
    socket.on('data', (data) => (connections += data.includes('linkmill-web\0') ? 1 : 0));
  }).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const degraded = await startWeb({
    DATABASE_URL: `postgres://unknown@127.0.0.1:${(silent.address() as AddressInfo).port}/nothing`,
    REDIS_URL: web.redis.url(),
    REDIS_PREFIX: web.redis.prefix,
    SHUTDOWN_DEADLINE_MS: '1000',
  });
  try {
    const client = createClient(degraded.baseUrl);
    const answers = await Promise.all(Array.from({ length: 20 }, () => client.get('/health')));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect(answers[0]!.body).toMatchObject({ status: 'degraded', checks: { postgres: { status: 'down' } } });
    expect((await client.get('/health/ready')).status).toBe(200);
    // On a slow machine, some requests arrive after the first responses.
    expect(connections).toBeLessThan(answers.length / 2);
  } finally {
    await degraded.stop();
    silent.close();
  }
});
