import { expect, test } from 'vitest';
import { createApiKeys } from '../../../src/api-keys/api-keys.ts';
import type { Scope } from '../../../src/api-keys/scopes.ts';
import { jobNames } from '../../../src/queues/jobs.ts';
import { createClient } from '../../support/http/client.ts';
import { cookiesOf, openPage, signIn } from '../../support/http/session.ts';
import { useWeb } from '../../support/http/web-app.ts';
import { startWeb } from '../../support/processes/processes.ts';
import { storeSettings } from '../../support/resources.ts';
import { waitUntil } from '../../support/wait-until.ts';

const password = 'correct horse';
const web = useWeb({ BULL_BOARD_USER: 'operator', BULL_BOARD_PASSWORD: password });

const login = (user: string, secret: string) => ({
  authorization: `Basic ${Buffer.from(`${user}:${secret}`).toString('base64')}`,
});
const operator = login('operator', password);
const pause = '/admin/queues/api/queues/warm-cache/pause';

const isPaused = async (client = web.client(null)) => {
  const { queues } = (await client.get('/admin/queues/api/queues', operator)).body as {
    queues: { name: string; isPaused: boolean }[];
  };
  return queues.find((queue) => queue.name === 'warm-cache')!.isPaused;
};

/** Runs `use` with a web process that has other settings and the same stores. */
async function withWeb(settings: Record<string, string>, use: (baseUrl: string) => Promise<void>) {
  const other = await startWeb({
    ...storeSettings(web.database, web.redis),
    ...settings,
  });
  try {
    await use(other.baseUrl);
  } finally {
    await other.stop();
  }
}

test('Bull Board shows its page and every queue with the login', async () => {
  const page = await web.client(null).get('/admin/queues', operator);
  expect(page.status).toBe(200);
  expect(page.headers.get('content-type')).toContain('text/html');
  expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
  const { queues } = (await web.client(null).get('/admin/queues/api/queues', operator)).body as {
    queues: { name: string; readOnlyMode: boolean }[];
  };
  expect(queues.map((queue) => queue.name).toSorted()).toEqual(jobNames.toSorted());
  expect(queues.some((queue) => queue.readOnlyMode)).toBe(false);
});

test.each([
  ['no login', {}],
  ['a wrong password', login('operator', 'wrong')],
  ['an empty password', login('operator', '')],
  ['another user', login('admin', password)],
  ['the password of another length', login('operator', `${password} `)],
  ['a login that is no base64', { authorization: 'Basic %%%' }],
  ['an API key', { authorization: 'Bearer x' }],
])('the board answers 401 to %s, on its page, its files, its API and for writes', async (_, headers) => {
  const client = web.client(null);
  for (const path of [
    '/admin/queues',
    '/admin/queues/',
    '/admin/queues/api/queues',
    '/admin/queues/static/x.js',
  ]) {
    const answer = await client.get(path, headers);
    expect(answer.status, path).toBe(401);
    expect(answer.headers.get('www-authenticate')).toContain('Basic');
  }
  expect((await client.request('PUT', pause, undefined, headers)).status).toBe(401);
  expect(await isPaused()).toBe(false);
});

test.each([
  ['another site, according to its browser', { 'sec-fetch-site': 'cross-site' }],
  ['a sibling host, according to its browser', { 'sec-fetch-site': 'same-site' }],
  ['another origin', { origin: 'https://evil.example' }],
  ['a hidden origin', { origin: 'null' }],
  ['an origin that is no URL', { origin: 'evil' }],
])('a write with the login from %s is answered with 403 and changes nothing', async (_, headers) => {
  const answer = await web.client(null).request('PUT', pause, undefined, { ...operator, ...headers });
  expect(answer).toBeProblem('cross-origin-request');
  expect(await isPaused()).toBe(false);
});

test.each([
  ["the browser's word for its own origin", () => ({ 'sec-fetch-site': 'same-origin' })],
  ['the public origin', () => ({ origin: web.baseUrl() })],
  ['no origin, from a command line', () => ({})],
])('a write with the login and %s passes', async (_, headers) => {
  const write = async (path: string) =>
    await web.client(null).request('PUT', path, undefined, { ...operator, ...headers() });
  expect((await write(pause)).status).toBe(200);
  expect(await isPaused()).toBe(true);
  expect((await write(pause.replace('pause', 'resume'))).status).toBe(200);
  expect(await isPaused()).toBe(false);
});

test('without a password Bull Board answers 401 to every login, and asks for none', async () => {
  await withWeb({}, async (baseUrl) => {
    const client = createClient(baseUrl);
    for (const headers of [{}, operator, login('admin', ''), login('admin', 'undefined')]) {
      const page = await client.get('/admin/queues', headers);
      expect([page.status, page.headers.get('www-authenticate')]).toEqual([401, null]);
      expect((await client.get('/admin/queues/api/queues', headers)).status).toBe(401);
      expect((await client.request('PUT', pause, undefined, headers)).status).toBe(401);
    }
  });
});

test('in read-only mode Bull Board shows everything and answers writes with 405', async () => {
  const settings = {
    BULL_BOARD_USER: 'operator',
    BULL_BOARD_PASSWORD: password,
    BULL_BOARD_READ_ONLY: 'true',
  };
  await withWeb(settings, async (baseUrl) => {
    const client = createClient(baseUrl);
    expect((await client.get('/admin/queues', operator)).status).toBe(200);
    const queue = '/admin/queues/api/queues/warm-cache';
    for (const [method, path] of [
      ['PUT', `${queue}/pause`],
      ['PUT', `${queue}/empty`],
      ['POST', `${queue}/add`],
      ['PUT', `${queue}/retry/failed`],
      ['PUT', `${queue}/clean/completed`],
    ] as const) {
      const answer = await client.request(
        method,
        path,
        { name: 'warm-cache', data: {}, options: {} },
        operator,
      );
      expect(answer.status, path).toBe(405);
    }
    expect(await isPaused(client)).toBe(false);
  });
});

test('without Redis Bull Board answers 503 immediately, except for its files', async () => {
  await withWeb(
    { BULL_BOARD_USER: 'operator', BULL_BOARD_PASSWORD: password, REDIS_URL: 'redis://127.0.0.1:1' },
    async (baseUrl) => {
      const answer = await createClient(baseUrl).get('/admin/queues/api/queues', operator);
      expect(answer.status).toBe(503);
      expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
      const logo = await createClient(baseUrl).get('/admin/queues/static/images/logo.svg', operator);
      expect(logo.status).toBe(200);
    },
  );
});

test('a job with a chosen id cannot overwrite a key of its queue', async () => {
  const client = web.client(null);
  const job = { name: 'warm-cache', data: {}, options: { jobId: 'paused' } };
  expect((await client.post('/admin/queues/api/queues/warm-cache/add', job, operator)).status).toBe(200);
  expect(await web.redis.redis().exists(`{${web.redis.prefix}:warm-cache}:warm-cache:paused`)).toBe(0);
  expect((await client.get('/admin/queues/api/queues/warm-cache/meta', operator)).status).toBe(404);
  expect((await web.client().post('/api/v1/jobs/warm-cache', {})).status).toBe(202);
});

test('a session with the scope jobs:run opens Bull Board, without and beside a password', async () => {
  const apiKeys = createApiKeys(web.database.db());
  const { id, key } = await apiKeys.create('jobs', { scopes: ['jobs:run'] });
  await withWeb({ TRUSTED_PROXY_HOPS: '1' }, async (baseUrl) => {
    const page = await signIn(baseUrl, { api_key: key });
    for (const board of [page, openPage(web.baseUrl(), page.cookie)]) {
      expect((await board.get('/admin/queues')).status).toBe(200);
      expect((await board.get('/admin/queues/api/queues')).body['queues']).toHaveLength(jobNames.length);
      expect((await board.request('PUT', pause)).status).toBe(200);
      expect(await isPaused()).toBe(true);
      expect((await board.request('PUT', pause.replace('pause', 'resume'))).status).toBe(200);
    }
    await apiKeys.revoke(id);
    await waitUntil(
      'the session has ended',
      async () => (await page.get('/admin/queues/api/queues')).status === 401,
      2_200,
    );
    expect(cookiesOf(await page.get('/admin/queues'))).toEqual([
      expect.stringMatching(/^linkmill=; Max-Age=0/),
    ]);
  });
});

test('a session without the scope jobs:run cannot open Bull Board', async () => {
  const { key } = await createApiKeys(web.database.db()).create('no jobs', { scopes: ['urls:write'] });
  await withWeb({ TRUSTED_PROXY_HOPS: '1' }, async (baseUrl) => {
    const page = await signIn(baseUrl, { api_key: key });
    expect(await page.get('/admin/queues')).toBeProblem('insufficient-scope');
    expect(await page.request('PUT', pause)).toBeProblem('insufficient-scope');
    // Where there is a login, it is asked for.
    const beside = openPage(web.baseUrl(), page.cookie);
    expect((await beside.get('/admin/queues')).headers.get('www-authenticate')).toContain('Basic');
    expect((await beside.get('/admin/queues', operator)).status).toBe(200);
    expect(await isPaused()).toBe(false);
  });
});

test('Bull Board changes the jobs of a queue for a session with all scopes that the job needs', async () => {
  const apiKeys = createApiKeys(web.database.db());
  const signInWith = async (scopes: Scope[]) => {
    const { key } = await apiKeys.create(scopes.join(' '), { scopes });
    return openPage(web.baseUrl(), (await signIn(web.baseUrl(), { api_key: key })).cookie);
  };
  const runner = await signInWith(['jobs:run']);
  const writer = await signInWith(['jobs:run', 'urls:write']);
  const data = { tag: 'unused' };
  const job = { name: 'rename-tag', data, options: { delay: 3_600_000 } };
  const queue = '/admin/queues/api/queues/rename-tag';
  const added = await writer.request('POST', `${queue}/add`, job);
  expect(added.status).toBe(200);
  const { id } = (added.body as { job: { id: string } }).job;
  const update = [`${queue}/${id}/update-data`, { jobData: { ...data, name: 'x' } }] as const;
  for (const [method, path, body] of [
    ['POST', `${queue}/add`, job],
    ['POST', '/admin/queues/API/Queues/rename-ta%67/add', job],
    ['PATCH', ...update],
    ['PUT', `${queue}/${id}/promote`, {}],
    ['PUT', `${queue}/retry/failed`, {}],
  ] as const)
    expect(await runner.request(method, path, body), path).toBeProblem('insufficient-scope');
  const shown = async () => (await runner.get(`${queue}/${id}`)).body['job'];
  expect(await shown()).toMatchObject({ data });
  expect((await writer.request('PATCH', ...update)).status).toBe(200);
  expect(await shown()).toMatchObject({ data: { name: 'x' } });
  expect((await writer.request('PUT', `${queue}/${id}/clean`, {})).status).toBe(204);
});

test('Bull Board with a session is closed to pages of other origins', async () => {
  await withWeb({ TRUSTED_PROXY_HOPS: '1' }, async (baseUrl) => {
    const { cookie } = await signIn(baseUrl, { api_key: web.apiKey() });
    const client = createClient(baseUrl);
    const statusOf = async (method: string, path: string, headers: Record<string, string>) =>
      (await client.request(method, path, undefined, { cookie, ...headers })).status;
    for (const headers of [
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { origin: 'https://evil.example' },
      { origin: 'null' },
    ] as Record<string, string>[]) {
      expect([headers, await statusOf('GET', '/admin/queues', headers)]).toEqual([headers, 403]);
      expect([headers, await statusOf('PUT', pause, headers)]).toEqual([headers, 403]);
    }
    for (const headers of [{ 'sec-fetch-site': 'none' }, {}] as Record<string, string>[]) {
      // The address bar reads, and changes nothing.
      expect([headers, await statusOf('GET', '/admin/queues', headers)]).toEqual([headers, 200]);
      expect([headers, await statusOf('PUT', pause, headers)]).toEqual([headers, 403]);
    }
    expect(await isPaused()).toBe(false);
  });
});
