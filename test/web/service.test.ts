import { expect, test } from 'vitest';
import { queuePrefix } from '../../src/queues/queues.ts';
import { requestJob, readProgress, runJob } from '../support/jobs.ts';
import { sendRedirects } from '../support/processes/load.ts';
import { useService } from '../support/processes/service.ts';
import { createUrl, insertUrls } from '../support/urls/urls.ts';
import { waitUntil } from '../support/wait-until.ts';

const service = useService();

test('the key pool reaches 100,000 keys within a minute of the first start', async () => {
  const { body } = await waitUntil(
    'the key pool is full',
    async () => {
      const health = await service.client(null).get('/health');
      return health.body['kgs_pool_size'] === 100_000 && health;
    },
    60_000,
  );
  expect(body['status']).toBe('healthy');
});

test('1,000 concurrent redirects count as exactly 1,000 clicks in /stats within 5 s', async () => {
  const counts = [400, 300, 200, 99, 1];
  const codes = await Promise.all(counts.map(async () => await createUrl(service.client())));
  const paths = codes.flatMap((code, i) => Array<string>(counts[i]!).fill(code));
  const mixed = paths.map((_, i) => paths[(i * 271) % paths.length]!);

  const tally = await sendRedirects(service.baseUrl(), mixed, 20);
  const readClicks = async () =>
    await Promise.all(
      codes.map(async (code) => (await service.client().get(`/api/v1/urls/${code}/stats`)).body['clicks']),
    );

  expect(tally.failures).toEqual([]);
  expect(codes.map((code) => tally.answered.get(code))).toEqual(counts);
  await waitUntil(
    'all clicks are counted',
    async () => (await readClicks()).reduce((sum: number, clicks) => sum + Number(clicks), 0) >= 1_000,
    5_000,
  );
  await runJob(service.client(), 'flush-clicks');
  expect(await readClicks()).toEqual(counts);
});

test('a renamed short URL keeps the clicks under all its codes', async () => {
  const client = service.client();
  const first = await createUrl(client);
  const codes = [first];
  for (const to of ['renamed-once', 'renamed-twice']) {
    await sendRedirects(service.baseUrl(), Array<string>(20).fill(first), 4);
    await client.patch(`/api/v1/urls/${codes.at(-1)}`, { short_code: to });
    codes.push(to);
  }
  const tally = await sendRedirects(
    service.baseUrl(),
    codes.flatMap((code) => Array<string>(20).fill(code)),
    4,
  );
  expect(tally.failures).toEqual([]);
  for (const code of codes)
    await waitUntil('all clicks are counted', async () => {
      const { body } = await client.get(`/api/v1/urls/${code}/stats`);
      return body['short_code'] === 'renamed-twice' && body['clicks'] === 100;
    });
  const cached = async () => await service.redis.redis().get(`${service.redis.prefix}:url:${first}`);
  await service.database
    .db()('urls')
    .where({ short_code: 'renamed-twice' })
    .update({ expires_at: new Date() });
  await runJob(client, 'cleanup-expired');
  expect(await cached()).toMatch(/^\d+:410$/);
});

test('an expired short URL answers 410, and the clean-up leaves a tombstone in Redis', async () => {
  const client = service.client();
  const code = await createUrl(client, {
    original_url: 'https://example.com/expires-soon',
    expires_in_seconds: 2,
  });
  const cached = async () => (await service.redis.redis().get(`${service.redis.prefix}:url:${code}`)) ?? '';
  expect((await client.get(`/${code}`)).status).toBe(301);
  expect(await cached()).toContain('https://example.com/expires-soon');

  await waitUntil('the short URL expires', async () => (await client.get(`/${code}`)).status === 410, 4_000);
  await runJob(client, 'cleanup-expired');

  expect(await cached()).toMatch(/^\d+:410$/);
  expect((await client.get(`/${code}`)).status).toBe(410);
  const [row] = await service.database.db()('urls').where({ short_code: code });
  expect(row.is_active).toBe(false);
});

test('a short URL that is deleted right after a redirect answers 404', async () => {
  const code = await createUrl(service.client());
  expect((await service.client(null).get(`/${code}`)).status).toBe(301);
  expect((await service.client().delete(`/api/v1/urls/${code}`)).status).toBe(204);
  expect((await service.client(null).get(`/${code}`)).status).toBe(404);
});

test('only requests for unknown and deleted codes are counted as unknown', async () => {
  const client = service.client();
  const code = await createUrl(client);
  await client.delete(`/api/v1/urls/${code}`);
  for (const path of ['unknown1', code, 'unknown1']) expect((await client.get(`/${path}`)).status).toBe(404);
  const rows = await waitUntil('the requests are counted', async () => {
    const found = await service.database
      .db()('unknown_codes_daily')
      .whereIn('short_code', ['unknown1', code]);
    return found.reduce((sum, row) => sum + row.requests, 0) >= 3 && found;
  });
  expect(new Map(rows.map((row) => [row.short_code, row.requests]))).toEqual(
    new Map([
      ['unknown1', 2],
      [code, 1],
    ]),
  );
});

test('20 concurrent creates of one custom code give one 201 and nineteen 409', async () => {
  const answers = await Promise.all(
    Array.from({ length: 20 }, async (_, i) =>
      service.client().post('/api/v1/urls', {
        original_url: `https://example.com/${i}`,
        custom_code: 'wanted-by-all',
      }),
    ),
  );
  expect(answers.filter((answer) => answer.status === 201)).toHaveLength(1);
  expect(answers.filter((answer) => answer.status === 409)).toHaveLength(19);
  const winner = answers.find((answer) => answer.status === 201);
  const redirect = await service.client(null).get('/wanted-by-all');
  expect(redirect.headers.get('location')).toBe(winner?.body['original_url']);
});

test('a job started through the API reports its state, progress and result', async () => {
  const client = service.client();
  const before = Number((await client.get('/health')).body['kgs_pool_size']);
  const path = await requestJob(client, 'replenish-keys', { target: 200_000 });
  const seen: { state: unknown; progress: unknown }[] = [];
  const done = await waitUntil('the job is completed', async () => {
    for (;;) {
      const { body } = await client.get(path);
      const { state, progress } = body;
      seen.push({ state, progress });
      if (state !== 'waiting' && state !== 'active') return body;
    }
  });

  expect(done).toMatchObject({ name: 'replenish-keys', state: 'completed', progress: 100, error: null });
  expect(done['result']).toMatchObject({ added: 200_000 - before, poolSize: 200_000 });
  const moving = seen.filter(({ state, progress }) => state === 'active' && Number(progress) > 0);
  expect(new Set(moving.map(({ progress }) => progress)).size).toBeGreaterThan(2);
  const values = seen.map(({ progress }) => Number(progress));
  expect(values).toEqual(values.toSorted((a, b) => a - b));
});

test('a warm-up of 10,000 short URLs reports progress and fills the cache', async () => {
  await insertUrls(service.database.db(), { begin: 'warm-', count: 10_001 });
  const done = await runJob(service.client(), 'warm-cache');

  expect(done['result']).toMatchObject({ urls: 10_000 });
  const values = await readProgress(service.redis.redis(), service.redis.prefix, 'warm-cache');
  expect(new Set(values.filter((value) => value < 100)).size).toBeGreaterThan(5);
  const cached = await service.redis.redis().keys(`${service.redis.prefix}:url:warm-*`);
  expect(cached.length).toBeGreaterThan(9_990);
});

test('a clean-up of 10,000 expired short URLs reports progress', async () => {
  const expiresAt = new Date(Date.now() - 1_000);
  await insertUrls(service.database.db(), { begin: 'over-', count: 10_000, expiresAt });
  await runJob(service.client(), 'cleanup-expired');

  const values = await readProgress(service.redis.redis(), service.redis.prefix, 'cleanup-expired');
  expect(new Set(values.filter((value) => value < 100)).size).toBeGreaterThan(5);
  const left = await service.database.db()('urls').where('is_active', true).whereLike('short_code', 'over-%');
  expect(left).toEqual([]);
});

test('a queue keeps the last 200 completed jobs', async () => {
  const queueKey = `${queuePrefix(service.redis.prefix, 'cleanup-expired')}:cleanup-expired`;
  await Promise.all(
    Array.from({ length: 220 }, async () => await requestJob(service.client(), 'cleanup-expired')),
  );
  await waitUntil('all jobs have ended', async () => {
    const [waiting, active] = await Promise.all(
      ['wait', 'active'].map(async (state) => await service.redis.redis().llen(`${queueKey}:${state}`)),
    );
    return waiting === 0 && active === 0;
  });
  expect(await service.redis.redis().zcard(`${queueKey}:completed`)).toBe(200);
});
