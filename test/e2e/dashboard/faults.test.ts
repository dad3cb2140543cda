import { afterAll, beforeAll, expect, test } from 'vitest';
import { createApiKeys } from '../../../src/api-keys/api-keys.ts';
import type { ServiceState } from '../../../src/http/api/operations/state-schema.ts';
import { signIn } from '../../support/dashboard/dashboard-page.ts';
import { useBrowserPage } from '../../support/http/browser-page.ts';
import { createClient } from '../../support/http/client.ts';
import { runProcess, startWeb, startWorker, type TestProcess } from '../../support/processes/processes.ts';
import { type Proxy, startProxy } from '../../support/proxy/proxy.ts';
import { storeSettings, useDatabase, useRedis } from '../../support/resources.ts';
import { waitUntil } from '../../support/wait-until.ts';

const database = useDatabase();
const redis = useRedis();
const { browser, page } = useBrowserPage({ viewport: { width: 1280, height: 800 } });
let proxies: Record<'postgres' | 'redis', Proxy>;
let web: TestProcess & { baseUrl: string };
let worker: TestProcess;
let key: string;

const behind = (address: string, proxy: Proxy) => {
  const url = new URL(address);
  [url.hostname, url.port] = ['127.0.0.1', String(proxy.port)];
  return url.href;
};
const startProxyTo = async (address: string) => await startProxy(Number(new URL(address).port));
const settings = () => ({
  ...storeSettings(database, redis),
  DATABASE_URL: behind(database.url(), proxies.postgres),
  REDIS_URL: behind(redis.url(), proxies.redis),
});

beforeAll(async () => {
  ({ key } = await createApiKeys(database.db()).create('test'));
  proxies = { postgres: await startProxyTo(database.url()), redis: await startProxyTo(redis.url()) };
  web = await startWeb(settings());
  worker = await startWorker(settings());
  await signIn(page(), `${web.baseUrl}/admin/`, key);
});
afterAll(async () => {
  await worker.stop();
  await web.stop();
  await proxies.postgres.close();
  await proxies.redis.close();
});

/** Runs `use` while the store refuses and drops connections. */
async function without(store: 'postgres' | 'redis', use: () => Promise<void>) {
  await proxies[store].refuse();
  proxies[store].cut();
  try {
    await use();
  } finally {
    await proxies[store].accept();
  }
}

const open = async (path: string) => {
  await page().goto(`${web.baseUrl}/admin${path}`);
  await page().locator('main .screen h1').waitFor();
};
const trouble = (title: string) => page().locator('.troubles .note', { hasText: title });
const longUrls = () => page().getByLabel('Long URLs');
const shorten = async () => await page().getByRole('button', { name: 'Shorten', exact: true }).click();

/** Waits until the page shows the trouble with what to do, and the runbook explains it. */
async function expectTrouble(title: string, action: string | RegExp) {
  const note = trouble(title);
  await note.getByText('What to do:').waitFor({ timeout: 90_000 });
  expect(await note.textContent()).toMatch(action);
  const runbook = await note.getByRole('link', { name: 'Runbook' }).getAttribute('href');
  const answer = await fetch(new URL(runbook!, web.baseUrl));
  expect(await answer.text()).toContain(`<section id="${runbook!.split('#')[1]}">`);
}

const expectHealthy = async () => {
  await page().locator('.screen').getByText('Healthy').waitFor({ timeout: 90_000 });
  expect(await page().locator('.troubles .note').count()).toBe(0);
};

test('without Redis the operations say what visitors notice and what to do, until Redis is back', async () => {
  await open('/operations');
  await expectHealthy();
  await without('redis', async () => {
    await expectTrouble('Redis is unavailable', /Start Redis/);
    await page().getByText('Redis does not answer').first().waitFor();
  });
  await expectHealthy();
});

test('without PostgreSQL the operations show the health with the trouble, until it is back', async () => {
  await open('/operations');
  await expectHealthy();
  await without('postgres', async () => {
    await expectTrouble('PostgreSQL is unavailable', /Start PostgreSQL/);
    await page().getByText('only cached links').waitFor();
    await page().getByText('Counting waits for PostgreSQL').waitFor();
  });
  await expectHealthy();
});

test('without PostgreSQL a new link is refused with the reason, and can be sent again', async () => {
  await open('/');
  await longUrls().fill('https://example.com/kept');
  await without('postgres', async () => {
    await shorten();
    await page().locator('#create-error', { hasText: 'The database is unreachable' }).waitFor();
    expect(await longUrls().inputValue()).toBe('https://example.com/kept');
  });
  await waitUntil('PostgreSQL is back', async () => (await fetch(`${web.baseUrl}/health`)).status === 200);
  await waitUntil('the link is created', async () => {
    if ((await longUrls().inputValue()) !== '') await shorten();
    return (await longUrls().inputValue()) === '';
  });
});

test('a page that is opened without PostgreSQL, also by a sign-in link, loads when it is back', async () => {
  const context = await browser().newContext();
  const tabs = [page(), await context.newPage()];
  const cli = await runProcess('src/cli/sign-in.js', { DATABASE_URL: database.url(), BASE_URL: web.baseUrl });
  const [link] = /http\S+#t=\S+/.exec(cli.stdout)!;
  await without('postgres', async () => {
    await tabs[0]!.goto(`${web.baseUrl}/admin/`);
    await tabs[1]!.goto(link);
    for (const tab of tabs) await tab.getByText('The page retries by itself').waitFor();
  });
  for (const tab of tabs) await tab.getByLabel('Long URLs').waitFor();
  expect(tabs[1]!.url()).toBe(`${web.baseUrl}/admin/`);
  await context.close();
});

test('without a network a new link is refused with the reason, and what is typed stays', async () => {
  await open('/');
  await longUrls().fill('https://example.com/offline');
  await page().context().setOffline(true);
  await shorten();
  await page().getByText('The service does not answer').first().waitFor();
  expect(await longUrls().inputValue()).toBe('https://example.com/offline');
  await page().context().setOffline(false);
  await shorten();
  await waitUntil('the link is created', async () => (await longUrls().inputValue()) === '');
});

test('without a worker the operations say that none is running and what to do', async () => {
  await open('/operations');
  await worker.stop();
  await expectTrouble('No worker is running', /Start a worker/);
  await page().getByText('no worker').first().waitFor();
  worker = await startWorker(settings());
  await expectHealthy();
});

test('an audit runs from the page, and shows its result', async () => {
  await open('/operations');
  await page().locator('.counting').getByRole('button', { name: 'Run audit' }).click();
  const result = page().locator('.counting').getByText('exact', { exact: true });
  await result.waitFor({ timeout: 60_000 });
  expect(await result.count()).toBe(1);
});

/** Changes an answer of the API on its way to the page, until the function that it resolves to is called. */
async function alter<Body>(path: string, change: (body: Body) => void) {
  await page().route(`**${path}`, async (route) => {
    // A request of the browser itself has this header, without which the service refuses the session.
    const response = await route.fetch({
      headers: { ...route.request().headers(), 'sec-fetch-site': 'same-origin' },
    });
    const body = (await response.json()) as Body;
    // A problem stays as it is.
    if (response.ok()) change(body);
    await route.fulfill({ response, json: body });
  });
  return async () => await page().unroute(`**${path}`);
}

test('an audit that is not exact or was interrupted says so in words', async () => {
  let result: Record<string, unknown> = { interrupted: true, checked: 3 };
  const restore = await alter(
    '/api/v1/queues',
    ({ items }: { items: { name: string; last_run: { result: unknown } }[] }) => {
      items.find(({ name }) => name === 'audit')!.last_run.result = result;
    },
  );
  await open('/operations');
  await page().locator('.counting').getByText('interrupted', { exact: true }).waitFor();
  const producers = [{ producer: 'some-producer', accepted: 7, counted: 5 }];
  result = { exact: false, accepted: 9, counted: 7, dead_letters: 2, producers, skipped: 4 };
  result = { ...result, difference_count: 0, differences: [] };
  const note = page().locator('.note', { hasText: 'The audit is not exact' });
  await note.waitFor();
  const text = await note.textContent();
  for (const part of [/7 clicks accepted, 5 counted/, /Dead letters.*: 2/, /not compared.*: 4/])
    expect(text).toMatch(part);
  expect(text).not.toContain('differences');
  await restore();
});

test('clicks that were dropped hide neither that counting is late nor a failure of the queues', async () => {
  const restore = await alter('/api/v1/operations', (body: ServiceState) => {
    body.clicks = { ...body.clicks, oldest_ms: 5_000, dropped: 1 };
    body.troubles = [
      {
        id: 'clicks_dropped',
        title: 'Dropped',
        cause: '',
        since: null,
        effect: '',
        action: '',
        runbook_url: '',
      },
    ];
    body.series.redirects_per_s = [1, null, null, 2, 3];
  });
  await page().route('**/api/v1/queues', async (route) => {
    await route.fulfill({ status: 500, json: { detail: 'The queues cannot be read.' } });
  });
  await open('/operations');
  await page().getByText('Counting is late').waitFor();
  await page().locator('.troubles').getByText('Dropped').waitFor();
  await page().getByText('The queues cannot be read.').waitFor();
  const history = page().getByRole('img', { name: 'Redirects/s, last 15 minutes' });
  expect(await history.locator('polyline').count()).toBe(2);
  await page().unroute('**/api/v1/queues');
  await restore();
});

test('restoring many links waits for the rate limit, and what failed can be tried again', async () => {
  const client = createClient(web.baseUrl, key);
  for (const code of ['undo-1', 'undo-2'])
    await client.post('/api/v1/urls', { original_url: `https://example.com/${code}`, custom_code: code });
  await open('/?sort=-created');
  for (const code of ['undo-1', 'undo-2']) await page().getByLabel(`Select ${code}`).check();
  await page().getByRole('button', { name: 'Delete', exact: true }).click();
  const answers = [429, 503];
  await page().route('**/restore', async (route) => {
    const status = answers.shift();
    if (status === undefined) await route.continue();
    else await route.fulfill({ status, headers: { 'retry-after': '1' }, json: { detail: `No: ${status}` } });
  });
  const messages = page().getByRole('region', { name: 'Messages' });
  await messages.getByRole('button', { name: 'Undo' }).click();
  await messages.getByText('1 link restored').waitFor();
  await messages.getByText('1 link failed: No: 503').waitFor();
  await messages.getByRole('button', { name: 'Retry' }).click();
  for (const code of ['undo-1', 'undo-2']) await page().getByLabel(`Select ${code}`).waitFor();
  expect(answers).toEqual([]);
  await page().unroute('**/restore');
});

test('failed jobs are shown in place with their error', async () => {
  const client = createClient(web.baseUrl, key);
  const { id } = (await client.post('/api/v1/jobs/reconcile-cache', {})).body;
  await waitUntil('the job is completed', async () => {
    const { body } = await client.get(`/api/v1/jobs/reconcile-cache/${String(id)}`);
    return body['state'] === 'completed';
  });
  const queue = `{${redis.prefix}:reconcile-cache}:reconcile-cache`;
  await redis.redis().hset(`${queue}:${String(id)}`, 'failedReason', 'select 1 - relation does not exist');
  await redis.redis().zadd(`${queue}:failed`, Date.now(), String(id));
  await open('/operations');
  // Runs without PostgreSQL may have failed as well.
  await page()
    .getByRole('button', { name: /^\d+ failures? of reconcile-cache$/ })
    .click();
  await page().locator('.failures').getByText('relation does not exist').waitFor();
  expect(await page().locator('.failures').textContent()).not.toContain('select 1');
});

test('a throttled client is told so, and what is typed stays', async () => {
  const throttled = await startWeb({ ...settings(), RATE_LIMIT_PER_KEY: '60' });
  try {
    // The session is of the host, on every port.
    await page().goto(`${throttled.baseUrl}/admin/`);
    await longUrls().fill('https://example.com/throttled');
    const client = createClient(throttled.baseUrl, key);
    await waitUntil('the limit is reached', async () => (await client.get('/api/v1/urls')).status === 429);
    await shorten();
    await page().getByText('exceeded its rate limit').first().waitFor();
    expect(await longUrls().inputValue()).toBe('https://example.com/throttled');
  } finally {
    await throttled.stop();
  }
});
