import { generateKeyPairSync } from 'node:crypto';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { useWeb } from '../../support/http/web-app.ts';
import { startWeb } from '../../support/processes/processes.ts';
import { storeSettings } from '../../support/resources.ts';
import { createBrowser, pageOf, signInAtProvider } from '../../support/single-sign-on/browser.ts';
import { type Answer, useOidcProvider } from '../../support/single-sign-on/identity-provider.ts';

const provider = useOidcProvider({
  TRUSTED_PROXY_HOPS: '1',
  OIDC_USER_GROUP: 'staff',
  OIDC_ADMIN_GROUP: 'admins',
  OIDC_GROUPS_CLAIM: 'groups',
});
const web = useWeb(provider.settings);
beforeAll(() => provider.openFor(web.baseUrl()));
beforeEach(() => {
  provider.faults.clear();
  provider.restart();
  provider.person.subject = 'ada';
  provider.person.claims = { name: 'Ada', groups: ['staff'] };
});

const discovery = '/.well-known/openid-configuration';
const answer =
  (status: number, body: unknown, type = 'application/json'): Answer =>
  (_request, response) =>
    void response
      .writeHead(status, { 'content-type': type })
      .end(typeof body === 'string' ? body : JSON.stringify(body));
const hang: Answer = () => undefined;
const disconnect: Answer = (request) => void request.socket.destroy();

async function expectFailure(status: number, text: string): Promise<Response> {
  const { response, page } = await signInAtProvider(web.baseUrl());
  expect([response.status, page]).toEqual([status, expect.stringContaining(text)]);
  expect(page).toContain('/admin/sign-in/oidc"');
  expect(response.headers.getSetCookie().filter((cookie) => cookie.startsWith('linkmill='))).toEqual([]);
  return response;
}

test('a service whose provider is away starts, redirects, and signs in once the provider is back', async () => {
  provider.faults.set(discovery, disconnect);
  const begin = async () => await fetch(`${web.baseUrl()}/admin/sign-in/oidc`, { redirect: 'manual' });
  const response = await begin();
  expect([response.status, await response.text()]).toEqual([503, expect.stringContaining('does not answer')]);
  expect(response.headers.get('retry-after')).toBe('10');
  const { body } = await web.client().post('/api/v1/urls', { original_url: 'https://example.com/away' });
  const redirect = await fetch(String(body['short_url']), { redirect: 'manual' });
  expect(redirect.status).toBe(301);
  for (const [status, fault] of [
    [503, answer(500, 'no', 'text/plain')],
    [502, answer(404, 'no', 'text/plain')],
    [502, answer(200, '<p>maintenance</p>', 'text/html')],
    [502, answer(200, '{"issuer":')],
    [502, answer(200, { issuer: 'https://evil.example' })],
    [502, answer(200, {})],
  ] as const) {
    provider.faults.set(discovery, fault);
    const failed = await begin();
    expect([failed.status, await failed.text()]).toEqual([status, expect.stringContaining('Sign in again')]);
  }
  provider.faults.set(discovery, hang);
  const from = performance.now();
  expect((await begin()).status).toBe(503);
  expect(performance.now() - from).toBeLessThan(9_000);
  provider.faults.clear();
  expect((await signInAtProvider(web.baseUrl())).response.status).toBe(200);
}, 60_000);

test('a provider that hangs, disconnects or fails after the sign-in is named as the cause, within seconds', async () => {
  for (const path of ['/token', '/jwks', '/me']) {
    for (const fault of [
      disconnect,
      answer(503, { error: 'temporarily_unavailable' }),
      answer(500, 'x', 'text/plain'),
    ]) {
      provider.faults.set(path, fault);
      const response = await expectFailure(503, 'does not answer');
      expect(response.headers.get('retry-after')).toBe('10');
      provider.faults.clear();
    }
  }
  provider.faults.set('/me', hang);
  const from = performance.now();
  await expectFailure(503, 'does not answer');
  expect(performance.now() - from).toBeLessThan(15_000);
}, 60_000);

test('a body that never ends or breaks off is not waited for', async () => {
  provider.faults.set('/token', (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.write('{"access_token":"');
  });
  await expectFailure(503, 'does not answer');
  provider.faults.set('/token', (request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.write('{"access_token":"', () => request.socket.destroy());
  });
  await expectFailure(503, 'does not answer');
}, 30_000);

test('an answer that is not valid is refused as such', async () => {
  for (const [path, fault] of [
    ['/token', answer(200, '<p>proxy</p>', 'text/html')],
    ['/token', answer(200, { access_token: 'x', token_type: 'bearer' })],
    ['/token', answer(401, { error: 'invalid_client' })],
    ['/token', answer(200, { access_token: 'x', token_type: 'bearer', id_token: 'a.b.c' })],
    ['/jwks', answer(200, { keys: [] })],
    ['/me', answer(200, { sub: 'somebody else', groups: ['admins'] })],
    ['/me', answer(200, {})],
  ] as const) {
    provider.faults.set(path, fault);
    await expectFailure(502, 'is not valid');
    provider.faults.clear();
  }
});

test('an ID token with a wrong claim, signature or algorithm is refused', async () => {
  const now = Math.floor(Date.now() / 1_000);
  const forgeries: [change: Parameters<typeof provider.forge>[0], text: string][] = [
    [{ claims: { iss: 'https://evil.example' } }, 'is not valid'],
    [{ claims: { iss: `${provider.issuer()}/` } }, 'is not valid'],
    [{ claims: { aud: 'another client' } }, 'is not valid'],
    [{ claims: { nonce: 'another' } }, 'is not valid'],
    [{ claims: { nonce: undefined } }, 'is not valid'],
    [{ claims: { sub: undefined } }, 'is not valid'],
    [{ claims: { sub: '' } }, 'is not valid'],
    [{ claims: { sub: 'a\u0000b' } }, 'is not valid'],
    [{ claims: { sub: 'x'.repeat(256) } }, 'is not valid'],
    [{ claims: { exp: now - 300 } }, 'The clocks differ'],
    [{ claims: { nbf: now + 300 } }, 'The clocks differ'],
    [{ key: generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey }, 'is not valid'],
    [{ header: { alg: 'none' } }, 'is not valid'],
    [{ header: { alg: 'HS256' } }, 'is not valid'],
    [{ header: { kid: 'unknown' } }, 'is not valid'],
  ];
  for (const [change, text] of forgeries) {
    provider.forge(change);
    await expectFailure(502, text);
  }
  provider.forge({ claims: { exp: now - 30, iat: now + 30 } });
  expect((await signInAtProvider(web.baseUrl())).response.status).toBe(200);
});

test('new signing keys of the provider are used at once', async () => {
  expect((await signInAtProvider(web.baseUrl())).response.status).toBe(200);
  provider.restart();
  expect((await signInAtProvider(web.baseUrl())).response.status).toBe(200);
});

test('only members of the groups may sign in', async () => {
  for (const [groups, status, text] of [
    [['staff'], 200, 'You are signed in'],
    [['admins'], 200, 'You are signed in'],
    ['staff', 200, 'You are signed in'],
    [{ staff: { org: 'x' } }, 200, 'You are signed in'],
    [['other'], 403, 'You have no access'],
    [[], 403, 'You have no access'],
    [['Staff', 'staff2', ['staff'], { staff: 1 }, null], 403, 'You have no access'],
    [{ constructor: {} }, 403, 'You have no access'],
    [undefined, 403, 'Your groups are unknown'],
    [null, 403, 'Your groups are unknown'],
    [7, 403, 'Your groups are unknown'],
  ] as const) {
    provider.person.claims = { name: 'Ada', groups };
    const { response, page } = await signInAtProvider(web.baseUrl());
    expect([response.status, page], JSON.stringify(groups)).toEqual([status, expect.stringContaining(text)]);
  }
});

test('a person who is refused can choose another account, which the provider remembers otherwise', async () => {
  provider.person.claims = { name: 'Ada', groups: ['other'] };
  const { browser, page } = await signInAtProvider(web.baseUrl());
  provider.person.subject = 'bob';
  provider.person.claims = { name: 'Bob', groups: ['staff'] };
  const link = /href="([^"]+)">Use another account</.exec(page)![1]!;
  const { pathname, search } = new URL(link, web.baseUrl());
  expect(pathname).toBe('/admin/sign-in/oidc');
  const begun = await browser.begin(web.baseUrl(), search);
  // As a provider does when another account is chosen.
  browser.cookies(provider.issuer()).clear();
  expect(new URL(begun).searchParams.get('prompt')).toBe('select_account');
  expect((await browser.complete(await browser.agree(begun))).status).toBe(200);
  const key = (await pageOf(browser, web.baseUrl()).get('/api/v1/api-keys/current')).body;
  expect(key).toMatchObject({ name: 'Bob', person: { subject: 'bob' } });
});

test('a provider without a choice of accounts is asked to sign in again', async () => {
  const metadata = (await (await fetch(provider.issuer() + discovery)).json()) as Record<string, unknown>;
  for (const [supported, prompt] of [
    [['none', 'login', 'consent'], 'login'],
    [['login', 'select_account'], 'select_account'],
  ] as const) {
    provider.faults.set(discovery, answer(200, { ...metadata, prompt_values_supported: supported }));
    const other = await startWeb({ ...storeSettings(web.database, web.redis), ...provider.settings });
    try {
      const begun = await createBrowser().begin(other.baseUrl, '?prompt=select_account');
      expect(new URL(begun).searchParams.get('prompt')).toBe(prompt);
    } finally {
      await other.stop();
    }
  }
});

test('a person who cancels at the provider reads what to do', async () => {
  for (const [error, status, text] of [
    ['access_denied', 403, 'You are not signed in'],
    ['temporarily_unavailable', 503, 'does not answer'],
    ['invalid_scope', 502, 'is not valid'],
    ['<script>alert(1)</script>', 502, 'is not valid'],
  ] as const) {
    const browser = createBrowser();
    const begun = new URL(await browser.begin(web.baseUrl()));
    const url = new URL(begun.searchParams.get('redirect_uri')!);
    url.searchParams.set('error', error);
    url.searchParams.set('error_description', '<script>\u001b[31m');
    url.searchParams.set('state', begun.searchParams.get('state')!);
    url.searchParams.set('iss', provider.issuer());
    const response = await browser.complete(url.href);
    const page = await response.text();
    expect([response.status, page]).toEqual([status, expect.stringContaining(text)]);
    expect(page).not.toContain('<script');
  }
  expect(web.output()).toContain('access_denied');
  expect(web.output()).not.toContain('\\u001b');
});
