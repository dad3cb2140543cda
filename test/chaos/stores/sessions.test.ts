import { afterAll, beforeAll, expect, test } from 'vitest';
import { createApiKeys } from '../../../src/api-keys/api-keys.ts';
import { createClient } from '../../support/http/client.ts';
import { cookiesOf, openPage, type SignedIn, signIn } from '../../support/http/session.ts';
import { startWeb, type TestProcess } from '../../support/processes/processes.ts';
import { type Proxy, startProxy } from '../../support/proxy/proxy.ts';
import { useDatabase, useRedis } from '../../support/resources.ts';
import { waitUntil } from '../../support/wait-until.ts';

const database = useDatabase();
const redis = useRedis();
let postgres: Proxy;
let web: TestProcess & { baseUrl: string };
let key: string;

beforeAll(async () => {
  ({ key } = await createApiKeys(database.db()).create('test'));
  const url = new URL(database.url());
  postgres = await startProxy(Number(url.port));
  url.port = String(postgres.port);
  web = await startWeb({
    DATABASE_URL: url.href,
    REDIS_URL: redis.url(),
    REDIS_PREFIX: redis.prefix,
    TRUSTED_PROXY_HOPS: '1',
  });
});
afterAll(async () => {
  await web.stop();
  await postgres.close();
});

const readSession = async (page: SignedIn) => await page.get('/api/v1/jobs/warm-cache/999999');

test('while PostgreSQL is down sessions are served from memory for 2 s, then get 503, and continue after it', async () => {
  const page = await signIn(web.baseUrl, { api_key: key });
  const unknown = openPage(web.baseUrl, `linkmill=${'x'.repeat(43)}`);
  expect((await readSession(page)).status).toBe(404);
  await postgres.refuse();
  postgres.cut();
  expect((await readSession(page)).status).toBe(404);
  const rejected = await waitUntil('it is not known any more', async () => {
    const answer = await readSession(page);
    return answer.status !== 404 && answer;
  });
  expect(rejected).toBeProblem('unavailable');
  expect(rejected.headers.get('retry-after')).toMatch(/^\d+$/);
  // The browser stays signed in.
  expect(cookiesOf(rejected)).toEqual([]);
  expect(await readSession(unknown)).toBeProblem('unavailable');
  for (const credential of [{ api_key: `${key.slice(0, -1)}_` }, { sign_in_token: 'x'.repeat(43) }])
    expect(await createClient(web.baseUrl).post('/api/v1/sessions', credential)).toBeProblem('unavailable');
  expect(await page.request('DELETE', '/api/v1/sessions/current')).toBeProblem('unavailable');

  await postgres.accept();
  await waitUntil('the session continues', async () => (await readSession(page)).status === 404);
  expect((await readSession(unknown)).status).toBe(401);
});
