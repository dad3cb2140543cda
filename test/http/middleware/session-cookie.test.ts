import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { findFreePort } from '../../../scripts/services/ports.ts';
import { createApiKeys } from '../../../src/api-keys/api-keys.ts';
import { operations as declared } from '../../../src/http/api/api.ts';
import type { Operation } from '../../../src/http/api/operation.ts';
import { createClient } from '../../support/http/client.ts';
import {
  cookieOf,
  cookiesOf,
  fromOwnPage,
  openPage,
  type SignedIn,
  signIn,
} from '../../support/http/session.ts';
import { useWeb } from '../../support/http/web-app.ts';
import { startWeb } from '../../support/processes/processes.ts';
import { storeSettings } from '../../support/resources.ts';
import { createUrl } from '../../support/urls/urls.ts';

const web = useWeb({ TRUSTED_PROXY_HOPS: '1', CORS_ORIGINS: '*' });
const current = '/api/v1/sessions/current';
const operations = Object.entries<Operation>(declared)
  .filter(([, { scope }]) => scope !== 'none')
  .map(([name, operation]) => ({ name, operation }));

let page: SignedIn;
beforeAll(async () => {
  page = await signIn(web.baseUrl(), { api_key: web.apiKey() });
});

/** A request with the cookie of the session and no other evidence of its origin. */
const send = async (method: string, path: string, headers: Record<string, string>, body?: unknown) =>
  await web.client(null).request(method, path, body, { cookie: page.cookie, ...headers });

const foreignHeaders: [string, Record<string, string>][] = [
  ['another site', { 'sec-fetch-site': 'cross-site' }],
  ['another host of the site', { 'sec-fetch-site': 'same-site' }],
  ['the address bar', { 'sec-fetch-site': 'none' }],
  ['another origin', { origin: 'https://evil.example' }],
  ['another port', { origin: 'http://127.0.0.1:1' }],
  ['a hidden origin', { origin: 'null' }],
  ['an origin that is no URL', { origin: 'evil' }],
  ['another page', { referer: 'https://evil.example/admin/' }],
  ['no known page', {}],
];

test.each(operations)('$name with the cookie is refused to pages of other origins', async ({ operation }) => {
  const path = operation.path.replaceAll(/\{(\w+)\}/g, '1');
  const body = operation.body && {};
  for (const [from, headers] of foreignHeaders) {
    const answer = await send(operation.method.toUpperCase(), path, headers, body);
    expect([from, answer.status]).toEqual([from, 403]);
    expect(answer).toBeProblem('cross-origin-request');
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
  }
});

test.each(['GET', 'HEAD'])(
  '%s with side effects, files and streams is refused to other origins',
  async (method) => {
    const code = await createUrl(web.client());
    for (const path of [
      '/api/v1/codes?count=1',
      `/api/v1/urls/${code}/qr`,
      '/api/v1/clicks/stream',
      '/api/v1/exports/1/file',
    ]) {
      const answer = await send(method, path, { 'sec-fetch-site': 'cross-site' });
      expect([path, answer.status]).toEqual([path, 403]);
    }
  },
);

test('a form of another site cannot change anything with the cookie', async () => {
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
    for (const path of ['/api/v1/urls', '/api/v1/imports', '/api/v1/urls/bulk/delete']) {
      const headers = { 'content-type': type, origin: 'https://evil.example' };
      expect([type, path, (await send('POST', path, headers, 'a=b')).status]).toEqual([type, path, 403]);
    }
  }
});

test.each<[string, () => Record<string, string>]>([
  ['Sec-Fetch-Site', () => fromOwnPage],
  ['Origin', () => ({ origin: web.baseUrl() })],
  ['Referer', () => ({ referer: `${web.baseUrl()}/admin/links?q=x` })],
])('a page of the service proves its origin by %s', async (_, headers) => {
  expect((await send('GET', current, headers())).status).toBe(200);
  const body = { original_url: 'https://example.com/' };
  expect((await send('POST', '/api/v1/urls', headers(), body)).status).toBe(201);
});

test('Sec-Fetch-Site decides over Origin, and Origin over Referer', async () => {
  const own = web.baseUrl();
  expect((await send('GET', current, { 'sec-fetch-site': 'cross-site', origin: own })).status).toBe(403);
  expect((await send('GET', current, { origin: 'https://evil.example', referer: `${own}/` })).status).toBe(
    403,
  );
});

test('a preflight for a request with the cookie allows no credentials', async () => {
  const { status, headers } = await send('OPTIONS', current, {
    origin: 'https://app.example',
    'access-control-request-method': 'DELETE',
  });
  expect([status, headers.get('access-control-allow-origin')]).toEqual([204, '*']);
  expect(headers.get('access-control-allow-credentials')).toBeNull();
});

test('a sign-in from a page of another origin is refused', async () => {
  // Other clients send neither header, and a sign-in does not need them.
  const browsers = foreignHeaders.filter(([, headers]) => 'sec-fetch-site' in headers || 'origin' in headers);
  for (const [from, headers] of browsers) {
    const answer = await web.client(null).post('/api/v1/sessions', { api_key: web.apiKey() }, headers);
    expect([from, answer.status, cookiesOf(answer)]).toEqual([from, 403, []]);
  }
});

test.each(['x-api-key', 'authorization'])('an API key in %s wins over the cookie', async (header) => {
  const reader = await createApiKeys(web.database.db()).create('reader', { scopes: ['urls:read'] });
  const value = (key: string) => ({ [header]: header === 'x-api-key' ? key : `Bearer ${key}` });
  const own = await page.get('/api/v1/api-keys/current', value(reader.key));
  expect(own.body['id']).toBe(reader.id);
  // Without any evidence of the origin too: the cookie does not count.
  expect((await send('GET', '/api/v1/api-keys/current', value(reader.key))).body['id']).toBe(reader.id);
  expect(await page.request('DELETE', current, undefined, value(reader.key))).toBeProblem('not-found');
  const wrong = await page.get(current, value('lm_unknown'));
  expect(wrong).toBeProblem('unauthorized');
  expect(cookiesOf(wrong)).toEqual([]);
  expect((await page.get(current)).status).toBe(200);
});

test('with an https base URL the cookie is Secure, and its name binds it to the host', async () => {
  const port = await findFreePort();
  const https = await startWeb({
    ...storeSettings(web.database, web.redis),
    BASE_URL: 'https://sho.rt',
    PORT: String(port),
  });
  try {
    const address = `http://127.0.0.1:${port}`;
    const answer = await createClient(address).post('/api/v1/sessions', { api_key: web.apiKey() });
    expect(cookiesOf(answer)).toEqual([
      expect.stringMatching(
        /^__Host-linkmill=[\w-]{43}; Max-Age=2592000; Path=\/; HttpOnly; SameSite=Strict; Secure$/,
      ),
    ]);
    const cookie = cookieOf(answer);
    expect((await openPage(address, cookie).get(current)).status).toBe(200);
    const origin = { cookie, origin: 'https://sho.rt' };
    expect((await createClient(address).get(current, origin)).status).toBe(200);
    const named = openPage(address, cookie.replace('__Host-', ''));
    expect(await named.get(current)).toBeProblem('unauthorized');
    const ended = await openPage(address, '__Host-linkmill=x').get(current);
    expect(cookiesOf(ended)).toEqual([
      '__Host-linkmill=; Max-Age=0; Path=/; HttpOnly; SameSite=Strict; Secure',
    ]);
  } finally {
    await https.stop();
  }
});

test('a browser on plain HTTP is sent to the https base URL to sign in', async () => {
  const port = await findFreePort();
  const https = await startWeb({
    ...storeSettings(web.database, web.redis),
    BASE_URL: 'https://sho.rt/go',
    PORT: String(port),
  });
  try {
    const client = createClient(`http://127.0.0.1:${port}`);
    const credential = { api_key: web.apiKey() };
    const headers = { host: 'sho.rt', origin: 'http://sho.rt' };
    const answer = await client.post('/api/v1/sessions', credential, headers);
    expect(answer).toBeProblem('cross-origin-request');
    expect(answer.body['detail']).toContain('Sign in at https://sho.rt/go/admin/');
    expect(cookiesOf(answer)).toEqual([]);
    // Browsers send this header to the local machine, and keep Secure cookies of it.
    const local = await client.post('/api/v1/sessions', credential, { ...headers, ...fromOwnPage });
    expect(cookiesOf(local)).toHaveLength(1);
    expect((await client.post('/api/v1/sessions', credential, { origin: 'https://sho.rt' })).status).toBe(
      204,
    );
  } finally {
    await https.stop();
  }
});

test('a stream of clicks in a browser ends within a second after its session', async () => {
  const own = await signIn(web.baseUrl(), { api_key: web.apiKey() });
  const response = await fetch(`${web.baseUrl()}/api/v1/clicks/stream`, {
    headers: { ...fromOwnPage, cookie: own.cookie },
  });
  expect(response.status).toBe(200);
  const ended = response.text();
  expect((await own.request('DELETE', current)).status).toBe(204);
  expect(await ended).toContain('retry: ');
});

test('hostile Cookie headers never fail, and only the token of a session authenticates', async () => {
  const [name = '', token = ''] = page.cookie.split('=');
  const text = fc.string({
    unit: fc.oneof(
      fc.constantFrom(
        '=',
        ';',
        ' ',
        ',',
        '"',
        '\\',
        '%',
        '\t',
        name,
        `${name}=`,
        '__Host-',
        token.slice(0, 20),
      ),
      fc
        .integer({ min: 0x21, max: 0xff })
        .filter((code) => code !== 0x7f)
        .map((code) => String.fromCharCode(code)),
    ),
    maxLength: 60,
  });
  const client = web.client(null);
  await fc.assert(
    fc.asyncProperty(text, text, fc.boolean(), async (before, after, isSignedIn) => {
      // A pair of the same name ahead of it would count instead.
      const names = before.split(';').map((pair) => pair.split('=')[0]!.trim());
      fc.pre(!names.includes(name));
      const cookie = isSignedIn ? `${before}; ${name}=${token}; ${after}` : `${before}; ${after}`;
      const { status } = await client.get(current, { ...fromOwnPage, cookie });
      expect([cookie, status]).toEqual([cookie, isSignedIn ? 200 : 401]);
    }),
    { numRuns: 300 },
  );
  await fc.assert(
    fc.asyncProperty(text, async (value) => {
      const answer = await client.get(current, { ...fromOwnPage, cookie: `${name}=${value}` });
      const given = value.split(';')[0]!.trim();
      // An empty value is no session that could end.
      expect([value, answer.status, cookiesOf(answer).length]).toEqual([value, 401, given === '' ? 0 : 1]);
    }),
    { numRuns: 300 },
  );
  expect((await page.get(current)).status).toBe(200);
});
