import { expect, test } from 'vitest';
import { createApiKeys } from '../../../src/api-keys/api-keys.ts';
import { createClient } from '../../support/http/client.ts';
import { openPrometheus } from '../../support/http/prometheus.ts';
import { sendRedirects } from '../../support/processes/load.ts';
import { useOwnRedisService } from '../../support/services/redis.ts';
import { createUrl } from '../../support/urls/urls.ts';
import { waitUntil } from '../../support/wait-until.ts';

const service = useOwnRedisService({ METRICS_PUBLIC: 'true' });

test('metrics with a worker show confirmed clicks, a full key pool and no overdue job', async () => {
  const { key } = await createApiKeys(service.database.db()).create('test');
  const code = await createUrl(createClient(service.web().baseUrl, key));
  await sendRedirects(
    service.web().baseUrl,
    Array.from({ length: 300 }, () => code),
  );
  await waitUntil('all batches are confirmed', async () => {
    const metrics = await openPrometheus(service.web().baseUrl);
    return metrics.value('linkmill_clicks_confirmed_total') === 300;
  });
  await waitUntil('the key pool is full', async () => {
    const metrics = await openPrometheus(service.web().baseUrl);
    return metrics.value('linkmill_key_pool_size') > 90_000;
  });
  const metrics = await openPrometheus(service.web().baseUrl);
  expect(metrics.value('linkmill_queue_oldest_job_age_seconds', { queue: 'flush-clicks' })).toBeLessThan(5);
  expect(metrics.value('linkmill_queue_jobs', { queue: 'flush-clicks', state: 'failed' })).toBe(0);
  expect(metrics.value('linkmill_click_batches_unconfirmed')).toBe(0);
});

test('metrics omit the values of a hanging Redis within 3 s and do not fail', async () => {
  service.redis().hang();
  try {
    const begunAt = performance.now();
    const metrics = await openPrometheus(service.web().baseUrl);
    expect(performance.now() - begunAt).toBeLessThan(3_000);
    expect(metrics.value('linkmill_clicks_accepted_total')).toBe(300);
    const ofRedis = [
      'linkmill_queue_jobs',
      'linkmill_queue_oldest_job_age_seconds',
      'linkmill_key_pool_size',
    ];
    expect(ofRedis.filter((name) => metrics.names.includes(name))).toEqual([]);
  } finally {
    service.redis().resume();
  }
  await waitUntil('the queue metrics are exposed again', async () =>
    (await openPrometheus(service.web().baseUrl)).names.includes('linkmill_queue_jobs'),
  );
});

test('the age of the oldest job grows without a worker', async () => {
  await service.worker().stop();
  await waitUntil('the oldest job is older than 3 s', async () => {
    const metrics = await openPrometheus(service.web().baseUrl);
    return metrics.value('linkmill_queue_oldest_job_age_seconds', { queue: 'flush-clicks' }) > 3;
  });
});
