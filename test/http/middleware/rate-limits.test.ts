import { beforeAll, expect, test } from 'vitest';
import { createApiKeys } from '../../../src/api-keys/api-keys.ts';
import type { Answer, Client } from '../../support/http/client.ts';
import { useWeb } from '../../support/http/web-app.ts';
import { insertUrls } from '../../support/urls/urls.ts';

const token = 'metrics-token';
const web = useWeb({
  RATE_LIMIT_PER_KEY: '5',
  RATE_LIMIT_PER_IP: '4',
  RATE_LIMIT_NOT_FOUND_PER_IP: '3',
  TRUSTED_PROXY_HOPS: '1',
  METRICS_TOKEN: token,
  BULL_BOARD_PASSWORD: 'right password',
});

beforeAll(async () => {
  await insertUrls(web.database.db(), { begin: 'known-', count: 2 });
});

const newKey = async () => (await createApiKeys(web.database.db()).create('limits')).key;

/** Sends this many requests from an address in sequence; resolves to the answers. */
async function sendAs(address: string, path: string, count: number, client: Client = web.client(null)) {
  const answers: Answer[] = [];
  for (let i = 0; i < count; i++) answers.push(await client.get(path, { 'x-forwarded-for': address }));
  return answers;
}

const statuses = (answers: Answer[]) => answers.map(({ status }) => status);

test('answers contain the remaining quota; over it they are 429 with Retry-After', async () => {
  const answers = await sendAs('192.0.2.1', '/api/v1/api-keys/current', 6, web.client(await newKey()));
  expect(statuses(answers)).toEqual([200, 200, 200, 200, 200, 429]);
  const remaining = answers.map(({ headers }) => headers.get('ratelimit-remaining'));
  expect(remaining).toEqual(['4', '3', '2', '1', '0', '0']);
  for (const { headers } of answers) {
    expect(headers.get('ratelimit-limit')).toBe('5');
    expect(Number(headers.get('ratelimit-reset'))).toBeGreaterThan(0);
    expect(Number(headers.get('ratelimit-reset'))).toBeLessThanOrEqual(60);
    expect(headers.get('ratelimit-policy')).toBe('"default";q=5;w=60');
    const [left, reset] = [headers.get('ratelimit-remaining')!, headers.get('ratelimit-reset')!];
    expect(headers.get('ratelimit')).toBe(`"default";r=${left};t=${reset}`);
  }
  const last = answers.at(-1)!;
  expect(last).toBeProblem('rate-limited');
  expect(last.headers.get('retry-after')).toBe(last.headers.get('ratelimit-reset'));
  expect(last.headers.get('cache-control')).toBe('no-store');
});

test('API keys of one address have separate quotas', async () => {
  const [one, other] = [web.client(await newKey()), web.client(await newKey())];
  await sendAs('192.0.2.2', '/api/v1/api-keys/current', 6, one);
  await sendAs('192.0.2.2', '/api/v1/api-keys/current', 6, web.client('lm_unknown'));
  expect(statuses(await sendAs('192.0.2.2', '/api/v1/api-keys/current', 1, other))).toEqual([200]);
});

test('a bulk create counts as one request per 10 short URLs', async () => {
  const client = web.client(await newKey());
  const send = async (count: number) =>
    await client.post('/api/v1/urls/bulk', { urls: Array.from({ length: count }, () => ({})) });
  expect((await send(11)).headers.get('ratelimit-remaining')).toBe('3');
  expect(await send(41)).toBeProblem('rate-limited');
});

test('a reservation counts as one request per 10 codes', async () => {
  const client = web.client(await newKey());
  expect((await client.get('/api/v1/codes?count=25')).headers.get('ratelimit-remaining')).toBe('2');
});

test('a request over the whole quota uses up a fresh quota', async () => {
  const client = web.client(await newKey());
  const send = async () => await client.post('/api/v1/urls/bulk/delete', { filter: { tag: 'none' } });
  const first = await send();
  expect(first.status).toBe(200);
  expect(first.headers.get('ratelimit-remaining')).toBe('0');
  expect(await send()).toBeProblem('rate-limited');
});

test('each new short URL with a password counts as a request', async () => {
  const urls = [
    { password: 'one' },
    { password: 'two' },
    ...Array.from({ length: 11 }, () => ({ password: null })),
  ];
  const answer = await web.client(await newKey()).post('/api/v1/urls/bulk', { urls });
  expect(answer.headers.get('ratelimit-remaining')).toBe('1');
});

test.each([
  ['pages for everybody', '192.0.2.11', '/', null, 200],
  ['previews', '192.0.2.17', '/known-0+', null, 200],
  ['unknown API keys', '192.0.2.12', '/api/v1/urls/abcd', 'lm_unknown', 401],
  ['no API keys', '192.0.2.13', '/api/v1/urls/abcd', null, 401],
  ['what is no path of the API', '192.0.2.18', '/api/v1/nothing', null, 404],
  ['what is no path of an API at all', '192.0.2.19', '/api/v2/urls', null, 404],
  ['wrong tokens', '192.0.2.14', '/metrics', null, 401],
  ['wrong logins', '192.0.2.15', '/admin/queues', null, 401],
])('requests for %s are limited per address', async (_, address, path, key, status) => {
  const answers = await sendAs(address, path, 5, web.client(key));
  expect(statuses(answers)).toEqual([status, status, status, status, 429]);
  expect(answers.at(-1)!).toBeProblem('rate-limited');
  expect(Number(answers.at(-1)!.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(statuses(await sendAs('192.0.2.99', '/health', 1))).toEqual([200]);
});

test('requests with unsupported methods are limited per address', async () => {
  const from = { 'x-forwarded-for': '192.0.2.20' };
  const answers: Answer[] = [];
  for (const method of ['OPTIONS', 'PUT', 'OPTIONS', 'PUT', 'OPTIONS'])
    answers.push(await web.client(null).request(method, '/api/v1/urls', undefined, from));
  expect(statuses(answers)).toEqual([200, 405, 200, 405, 429]);
});

test('over the limit of an address, health, API keys and tokens pass, logins do not', async () => {
  const address = '192.0.2.50';
  await sendAs(address, '/', 5);
  expect(statuses(await sendAs(address, '/health/live', 5))).toEqual(Array(5).fill(200));
  expect(statuses(await sendAs(address, '/api/v1/api-keys/current', 1, web.client(await newKey())))).toEqual([
    200,
  ]);
  const from = { 'x-forwarded-for': address };
  const { status } = await web.client(null).get('/metrics', { ...from, authorization: `Bearer ${token}` });
  expect(status).toBe(200);
  const login = `Basic ${Buffer.from('admin:right password').toString('base64')}`;
  expect((await web.client(null).get('/admin/queues', { ...from, authorization: login })).status).toBe(429);
});

test('over the limit of unknown codes existing short URLs still redirect', async () => {
  const db = web.database.db();
  await insertUrls(db, { begin: 'disabled-', count: 1 });
  await db('urls').where({ short_code: 'disabled-0' }).update({ is_active: false });
  const address = '198.51.100.1';
  for (const code of ['unknown-1', 'unknown-1', 'disabled-0'])
    expect(statuses(await sendAs(address, `/${code}`, 1))).toEqual([404]);
  for (const code of ['unknown-2', 'unknown-1', 'disabled-0', 'unknown-1+']) {
    const [answer] = await sendAs(address, `/${code}`, 1);
    expect(answer!).toBeProblem('rate-limited');
    expect(Number(answer!.headers.get('retry-after'))).toBeGreaterThan(0);
  }
  for (const code of ['known-0', 'known-0', 'known-1'])
    expect(statuses(await sendAs(address, `/${code}`, 1))).toEqual([301]);
  expect(statuses(await sendAs('198.51.100.2', '/unknown-2', 1))).toEqual([404]);
});

test('the addresses of an IPv6 network share a limit', async () => {
  for (let i = 0; i < 3; i++)
    expect(statuses(await sendAs(`2001:db8:1:2::${i}`, '/unknown-3', 1))).toEqual([404]);
  expect(statuses(await sendAs('2001:db8:1:2:ffff::', '/unknown-3', 1))).toEqual([429]);
  expect(statuses(await sendAs('2001:db8:1:3::', '/unknown-3', 1))).toEqual([404]);
});

test('a rate-limited visitor gets a page', async () => {
  const client = web.client(null);
  await sendAs('198.51.100.7', '/unknown-4', 3);
  const answer = await client.get('/unknown-4', { 'x-forwarded-for': '198.51.100.7', accept: 'text/html' });
  expect(answer.status).toBe(429);
  expect(answer.headers.get('content-type')).toContain('text/html');
});

test('rate-limited requests are counted by limiter', async () => {
  const read = async () => {
    const headers = { authorization: `Bearer ${token}` };
    const text = await (await fetch(`${web.baseUrl()}/metrics`, { headers })).text();
    return ['api_keys', 'addresses', 'unknown_codes'].map((limiter) =>
      Number(new RegExp(`rate_limited_requests_total\\{limiter="${limiter}"\\} (\\d+)`).exec(text)?.[1]),
    );
  };
  const before = await read();
  await sendAs('198.51.100.8', '/api/v1/api-keys/current', 7, web.client(await newKey()));
  await sendAs('198.51.100.8', '/', 7);
  await sendAs('198.51.100.8', '/unknown-5', 7);
  const after = await read();
  expect(after.map((count, i) => count - before[i]!)).toEqual([2, 3, 4]);
});

test('Redis contains no addresses', async () => {
  await sendAs('203.0.113.77', '/unknown-6', 1);
  const keys = await web.redis.redis().keys(`${web.redis.prefix}:limit:*`);
  expect(keys.length).toBeGreaterThan(0);
  expect(keys.join()).not.toMatch(/203\.0|192\.0|2001:db8/);
});
