import { afterAll, beforeAll, expect, test } from 'vitest';
import { createClient } from '../../support/http/client.ts';
import { useWeb } from '../../support/http/web-app.ts';
import { startWeb } from '../../support/processes/processes.ts';
import { storeSettings } from '../../support/resources.ts';
import { waitUntil } from '../../support/wait-until.ts';

const web = useWeb();
let trusting: Awaited<ReturnType<typeof startWeb>>;
beforeAll(async () => {
  trusting = await startWeb({
    ...storeSettings(web.database, web.redis),
    TRUSTED_PROXY_HOPS: '1',
  });
});
afterAll(async () => void (await trusting.stop()));

const forwarded = { 'x-forwarded-for': '203.0.113.7' };
const conditionsOf = async (baseUrl: string) =>
  (await createClient(baseUrl).get('/health')).body['conditions'] as { code: string; reason: string }[];

test('X-Forwarded-For without a trusted proxy is reported, and logged once', async () => {
  expect(await conditionsOf(web.baseUrl())).toEqual([]);
  for (let i = 0; i < 3; i++) await web.client(null).get('/unknown-1', forwarded);
  const [condition] = await waitUntil('the condition is reported', async () => {
    const conditions = await conditionsOf(web.baseUrl());
    return conditions.length > 0 && conditions;
  });
  expect(condition).toMatchObject({
    code: 'proxy_untrusted',
    reason: expect.stringContaining('Set TRUSTED_PROXY_HOPS'),
  });
  await web.client(null).get('/unknown-1', forwarded);
  expect(web.output().match(/"condition":"proxy_untrusted"/g)).toHaveLength(1);
});

test('X-Forwarded-For from a trusted proxy is not reported', async () => {
  await createClient(trusting.baseUrl).get('/unknown-1', forwarded);
  expect(await conditionsOf(trusting.baseUrl)).toEqual([]);
});
