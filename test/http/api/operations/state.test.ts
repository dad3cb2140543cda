import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, test } from 'vitest';
import { createApiKeys } from '../../../../src/api-keys/api-keys.ts';
import { version } from '../../../../src/version.ts';
import { type Client, createClient } from '../../../support/http/client.ts';
import { useWeb } from '../../../support/http/web-app.ts';
import { startWeb, startWorker } from '../../../support/processes/processes.ts';
import { storeSettings } from '../../../support/resources.ts';
import { createUrl } from '../../../support/urls/urls.ts';
import { waitUntil } from '../../../support/wait-until.ts';

const web = useWeb({ KEY_POOL_TARGET: '1000', KEY_POOL_LOW_WATERMARK: '400' });
const path = '/api/v1/operations';

interface State {
  status: string;
  troubles: { id: string; cause: string; effect: string; action: string; runbook_url: string }[];
  processes: { web: number | null; workers: number | null; last_worker_seen_ms: number | null };
  key_pool: { size: number | null; consumption_per_s: number | null; empty_in_s: number | null };
  rates: Record<'redirects_per_s' | 'api_per_s' | 'errors_5xx_per_s' | 'redirect_p99_ms', number | null>;
  series: Record<'redirects_per_s' | 'api_per_s', (number | null)[]>;
  stores: Record<'postgres' | 'redis', Record<string, unknown>>;
}

const readState = async (client: Client = web.client()): Promise<State> =>
  (await client.get(path)).body as unknown as State;

const sumOf = (numbers: (number | null)[]) => numbers.reduce<number>((sum, one) => sum + (one ?? 0), 0);

test('a healthy service has no troubles, and its stores, processes and key pool are shown', async () => {
  await web.redis.redis().rpush(`${web.redis.prefix}:keys:pool`, 'aaaaaaa', 'bbbbbbb');
  const { body, status } = await web.client().get(path);
  expect(status).toBe(200);
  const column = expect.arrayContaining([null]) as unknown;
  expect(body).toEqual({
    status: 'healthy',
    version,
    troubles: [],
    works: { redirects: 'all', api: 'all', jobs: true, clicks: 'redis' },
    clicks: { oldest_ms: expect.any(Number), waiting_batches: 0, unconfirmed_batches: 0, dropped: 0 },
    stores: {
      postgres: { status: 'up', latency_ms: expect.any(Number), breaker: 'closed' },
      redis: {
        status: 'up',
        latency_ms: expect.any(Number),
        breaker: 'closed',
        used_bytes: expect.any(Number),
        max_bytes: expect.any(Number),
        policy: 'noeviction',
      },
    },
    processes: { web: 1, workers: 0, last_worker_seen_ms: null },
    key_pool: {
      size: 2,
      target: 1_000,
      low_watermark: 400,
      consumption_per_s: null,
      empty_in_s: null,
    },
    rates: expect.any(Object),
    series: {
      interval_s: 10,
      begins_at: expect.stringMatching(/Z$/),
      redirects_per_s: column,
      api_per_s: column,
      errors_5xx_per_s: column,
      redirect_p99_ms: column,
    },
    load: { event_loop_delay_ms: expect.any(Number), rejected_share: { api: 0, redirects: 0 } },
  });
});

test('a missing worker is a trouble with effect, action and a section of the runbook', async () => {
  const trouble = await waitUntil(
    'the missing worker is reported',
    async () => (await readState()).troubles.find(({ id }) => id === 'workers_missing'),
    40_000,
  );
  expect(trouble).toEqual({
    id: 'workers_missing',
    title: 'No worker is running',
    cause: expect.stringContaining('npm run worker'),
    since: expect.stringMatching(/Z$/),
    effect: expect.stringContaining('Links redirect.'),
    action: expect.stringContaining('Start a worker'),
    runbook_url: `${web.baseUrl()}/docs/runbook#workers_missing`,
  });
  const page = await fetch(trouble.runbook_url);
  expect(await page.text()).toContain('<section id="workers_missing">');
});

test('clicks that wait for too long are a trouble', async () => {
  const { redis, prefix } = web.redis;
  const [seconds] = await redis().time();
  const stream = `${prefix}:clicks:{0}`;
  await redis().xadd(stream, `${(Number(seconds) - 120) * 1_000}-0`, 'not', 'a batch');
  await waitUntil('the late clicks are a trouble', async () =>
    (await readState()).troubles.some(({ id }) => id === 'clicks_late'),
  );
  await redis().del(stream);
});

test('rates and series sum what all web processes of a cluster did', async () => {
  const cluster = await startWeb({ ...storeSettings(web.database, web.redis), WEB_CONCURRENCY: '2' });
  const client = createClient(cluster.baseUrl, web.apiKey());
  try {
    const shortCode = await createUrl(web.client());
    const visits = 60;
    // Each connection is accepted by one of the processes.
    const visit = async () =>
      await fetch(`${cluster.baseUrl}/${shortCode}`, {
        redirect: 'manual',
        headers: { connection: 'close' },
      });
    // The first sample of each process is the base of its first interval.
    await Promise.all(Array.from({ length: visits }, visit));
    const state = await waitUntil(
      'all redirects and a request of the API are in the series',
      async () => {
        const read = await readState(client);
        const { redirects_per_s, api_per_s } = read.series;
        return Math.round(sumOf(redirects_per_s) * 10) === visits && sumOf(api_per_s) > 0 && read;
      },
      25_000,
    );
    expect(state.processes.web).toBe(2);
    expect(state.rates.redirects_per_s).toBeGreaterThan(0);
    expect(state.rates.api_per_s).toBeGreaterThan(0);
    expect(state.rates.errors_5xx_per_s).toBe(0);
  } finally {
    await cluster.stop();
  }
});

test('workers are counted, and the last one is remembered after its end', async () => {
  const worker = await startWorker(storeSettings(web.database, web.redis));
  await waitUntil('the worker is counted', async () => (await readState()).processes.workers === 1);
  await worker.stop();
  const { processes } = await waitUntil('the worker is gone', async () => {
    const state = await readState();
    return state.processes.workers === 0 && state;
  });
  expect(processes.last_worker_seen_ms).toBeGreaterThanOrEqual(0);
});

test('keys that leave the pool give a rate, and the time until the pool is empty', async () => {
  const pool = `${web.redis.prefix}:keys:pool`;
  await web.redis.redis().rpush(pool, ...Array.from({ length: 500 }, (_, i) => `key-${i}`));
  const state = await waitUntil(
    'a rate is known',
    async () => {
      await web.redis.redis().lpop(pool, 5);
      const read = await readState();
      return (read.key_pool.consumption_per_s ?? 0) > 0 && read;
    },
    40_000,
  );
  const { size, consumption_per_s: rate, empty_in_s: left } = state.key_pool;
  expect(left).toBeGreaterThan(0);
  expect(Math.abs(left! - size! / rate!)).toBeLessThan(size! / rate! / 2);
});

test('without Redis and with a Redis that hangs, the state is answered in time, with what is known', async () => {
  const hanging = createServer(() => undefined).listen(0, '127.0.0.1');
  await once(hanging, 'listening');
  const { port } = hanging.address() as AddressInfo;
  for (const redisUrl of ['redis://127.0.0.1:1', `redis://127.0.0.1:${port}`]) {
    const other = await startWeb({ ...storeSettings(web.database, web.redis), REDIS_URL: redisUrl });
    const begin = performance.now();
    const state = await readState(createClient(other.baseUrl, web.apiKey()));
    expect(performance.now() - begin).toBeLessThan(4_000);
    expect(state.status).toBe('degraded');
    expect(state.troubles.map(({ id }) => id)).toContain('redis_unavailable');
    expect(state.stores['redis']).toMatchObject({ status: 'down', used_bytes: null, policy: null });
    expect(state.processes).toEqual({ web: 1, workers: null, last_worker_seen_ms: null });
    expect(state.key_pool).toMatchObject({ size: null, empty_in_s: null });
    await other.stop();
  }
  hanging.close();
});

test('the stream sends the state at once and every 2 s, and ends when the key is revoked', async () => {
  const apiKeys = createApiKeys(web.database.db());
  const { id, key } = await apiKeys.create('watcher', { scopes: ['jobs:run'] });
  const stream = await fetch(`${web.baseUrl()}${path}/stream`, { headers: { 'x-api-key': key } });
  expect(stream.status).toBe(200);
  expect(stream.headers.get('content-type')).toContain('text/event-stream');
  const reader = stream.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  const events = () => text.split('\n\n').filter((part) => part.includes('event: state'));
  while (events().length < 2) text += (await reader.read()).value ?? '';
  for (const event of events().slice(0, 2)) {
    const state = JSON.parse(/^data: (.*)$/m.exec(event)![1]!) as State;
    expect(state.stores['postgres']['status']).toBe('up');
  }
  await apiKeys.revoke(id);
  const begin = performance.now();
  while (!(await reader.read()).done);
  expect(performance.now() - begin).toBeLessThan(8_000);
});

test('more streams than the limit are rejected with 503', async () => {
  const abort = new AbortController();
  const open = async () =>
    await fetch(`${web.baseUrl()}${path}/stream`, {
      headers: { 'x-api-key': web.apiKey() },
      signal: abort.signal,
    });
  const answers = await Promise.all(Array.from({ length: 51 }, open));
  const rejected = answers.filter(({ status }) => status === 503);
  expect(rejected).toHaveLength(1);
  expect(rejected[0]!.headers.get('retry-after')).toMatch(/^\d+$/);
  abort.abort();
});
