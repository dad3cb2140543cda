import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { findFreePort } from '../../../scripts/services/ports.ts';
import { createSignInCookie } from '../../../src/http/middleware/session-cookie.ts';
import { createKeyGenerator } from '../../../src/keys/key-generator.ts';
import { seal, unseal } from '../../../src/single-sign-on/pending-sign-in.ts';
import { fromOwnPage } from '../../support/http/session.ts';
import { useWeb } from '../../support/http/web-app.ts';
import { startWeb } from '../../support/processes/processes.ts';
import { storeSettings } from '../../support/resources.ts';
import { createBrowser, signInAtProvider } from '../../support/single-sign-on/browser.ts';
import { useOidcProvider } from '../../support/single-sign-on/identity-provider.ts';

const provider = useOidcProvider({ TRUSTED_PROXY_HOPS: '1', ACCESS_LOG: 'all', LOG_LEVEL: 'trace' });
const web = useWeb(provider.settings);
beforeAll(() => provider.openFor(web.baseUrl()));
beforeEach(() => {
  provider.faults.clear();
  provider.person.subject = 'ada';
});

const cookieName = 'linkmill-sign-in';
const sessions = async () => Number((await web.database.db()('sessions').count())[0]!['count']);

/** A browser that has signed in at the provider, and the address at which it is to come back. */
async function comeBack() {
  const browser = createBrowser();
  return { browser, callback: await browser.agree(await browser.begin(web.baseUrl())) };
}

/** Expects a page that refuses the sign-in, and no session. */
async function expectRefused(response: Response, status: number, text: string): Promise<void> {
  expect([response.status, await response.text()]).toEqual([status, expect.stringContaining(text)]);
  expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(response.headers.get('referrer-policy')).toBe('no-referrer');
  expect(response.headers.getSetCookie().filter((cookie) => cookie.startsWith('linkmill='))).toEqual([]);
}

test('the cookie of a sign-in is not readable by scripts, and shows neither verifier nor nonce', async () => {
  const response = await fetch(`${web.baseUrl()}/admin/sign-in/oidc`, { redirect: 'manual' });
  const [cookie, ...more] = response.headers.getSetCookie();
  expect(more).toEqual([]);
  expect(cookie).toMatch(/^linkmill-sign-in=[\w-]+; Max-Age=600; Path=\/; HttpOnly; SameSite=Lax$/);
  expect(response.headers.get('cache-control')).toBe('no-store');
  const { searchParams } = new URL(response.headers.get('location')!);
  expect(Object.fromEntries(searchParams)).toEqual({
    client_id: 'linkmill',
    response_type: 'code',
    redirect_uri: `${web.baseUrl()}/admin/sign-in/oidc/callback`,
    scope: 'openid profile email',
    state: expect.stringMatching(/^[\w-]{43}$/),
    nonce: expect.stringMatching(/^[\w-]{43}$/),
    code_challenge: expect.stringMatching(/^[\w-]{43}$/),
    code_challenge_method: 'S256',
  });
  expect(Buffer.from(cookie!.slice(17).split(';')[0]!, 'base64url').toString('latin1')).not.toContain(
    'verifier',
  );
});

test('with HTTPS no other host can set the cookie of a sign-in', () => {
  expect(createSignInCookie('https://sho.rt').store('x')).toBe(
    '__Host-linkmill-sign-in=x; Max-Age=600; Path=/; HttpOnly; SameSite=Lax; Secure',
  );
});

test('the answer of another browser is refused, so a person is not signed in as another', async () => {
  const attacker = await comeBack();
  const victim = createBrowser();
  await expectRefused(await victim.complete(attacker.callback), 400, 'cannot be completed');
  await victim.begin(web.baseUrl());
  await expectRefused(await victim.complete(attacker.callback), 400, 'cannot be completed');
  expect((await attacker.browser.complete(attacker.callback)).status).toBe(200);
});

test('a foreign answer does not disturb the sign-in in progress', async () => {
  const { browser, callback } = await comeBack();
  await expectRefused(await browser.complete((await comeBack()).callback), 400, 'cannot be completed');
  expect((await browser.complete(callback)).status).toBe(200);
});

test('an answer is accepted once, even by a browser that keeps its cookie', async () => {
  const { browser, callback } = await comeBack();
  const kept = browser.cookies(web.baseUrl()).get(cookieName)!;
  expect((await browser.complete(callback)).status).toBe(200);
  const before = await sessions();
  await expectRefused(await browser.complete(callback), 400, 'cannot be completed');
  browser.cookies(web.baseUrl()).set(cookieName, kept);
  await expectRefused(await browser.complete(callback), 400, 'not valid any more');
  expect(await sessions()).toBe(before);
});

test('a code from another sign-in is refused, with either state', async () => {
  const [one, other] = [await comeBack(), await comeBack()];
  const code = new URL(other.callback).searchParams.get('code')!;
  const mixed = new URL(one.callback);
  mixed.searchParams.set('code', code);
  const before = await sessions();
  await expectRefused(await one.browser.complete(mixed.href), 400, 'not valid any more');
  expect(await sessions()).toBe(before);
});

test('a changed, shortened, repeated or missing state or cookie is refused', async () => {
  const before = await sessions();
  for (const change of [
    (url: URL) => url.searchParams.set('state', 'x'.repeat(43)),
    (url: URL) => url.searchParams.set('state', ''),
    (url: URL) => url.searchParams.delete('state'),
    (url: URL) => url.searchParams.append('state', url.searchParams.get('state')!),
  ]) {
    const { browser, callback } = await comeBack();
    const url = new URL(callback);
    change(url);
    await expectRefused(await browser.complete(url.href), 400, 'cannot be completed');
  }
  for (const change of [
    (text: string) => text.slice(0, -2),
    (text: string) => `${text.slice(0, 60)}${text[60] === 'A' ? 'B' : 'A'}${text.slice(61)}`,
    () => '',
    () => 'A',
    () => 'A'.repeat(2_000),
    () => '%00"<script>',
  ]) {
    const { browser, callback } = await comeBack();
    const jar = browser.cookies(web.baseUrl());
    jar.set(cookieName, change(jar.get(cookieName)!));
    await expectRefused(await browser.complete(callback), 400, 'cannot be completed');
  }
  expect(await sessions()).toBe(before);
});

test('a sign-in that has taken longer than 10 minutes is refused', async () => {
  const { browser, callback } = await comeBack();
  const key = await createKeyGenerator(web.database.db()).deriveSecret('single sign-on');
  const jar = browser.cookies(web.baseUrl());
  const pending = unseal(jar.get(cookieName)!, key)!;
  expect(pending.expiresAt - Date.now()).toBeLessThanOrEqual(600_000);
  jar.set(cookieName, seal({ ...pending, expiresAt: Date.now() - 1 }, key));
  await expectRefused(await browser.complete(callback), 400, 'took too long');
});

test('a sign-in never leads to another site', async () => {
  const screens: [string, string][] = [
    ['/admin/keys', '/admin/keys'],
    ['/admin/', '/admin/'],
    ...[
      'https://evil.example/admin/',
      '//evil.example/admin/',
      '/\\evil.example/admin/',
      '\\\\evil.example/admin/',
      '/admin/../\\evil.example',
      '/admin/..//evil.example',
      '/admin@evil.example/',
      '.evil.example/admin/',
      '@evil.example/admin/',
      'javascript:alert(1)',
      'data:text/html,x',
      '/abc1234',
      '/admin',
      '/admin/sign-in/oidc',
      '/admin/sign-in/oidc?return=/admin/keys',
      `/admin/${'x'.repeat(1_000)}`,
      '\t//evil.example/admin/',
      'http://[/admin/',
    ].map((path): [string, string] => [path, '/admin/']),
  ];
  for (const [given, opened] of screens) {
    const { page } = await signInAtProvider(web.baseUrl(), `?return=${encodeURIComponent(given)}`);
    expect([given, /content="0; url=([^"]*)"/.exec(page)?.[1]]).toEqual([given, `${web.baseUrl()}${opened}`]);
  }
  const { page } = await signInAtProvider(web.baseUrl(), '?return=/admin/keys&return=/admin/live');
  expect(page).toContain(`url=${web.baseUrl()}/admin/"`);
  const { page: quoted } = await signInAtProvider(
    web.baseUrl(),
    `?return=${encodeURIComponent('/admin/"><script>')}`,
  );
  expect(quoted).not.toContain('<script');
});

test('a link on another site begins no sign-in', async () => {
  for (const [name, value] of [
    ['sec-fetch-site', 'cross-site'],
    ['sec-fetch-site', 'same-site'],
    ['referer', 'https://evil.example/'],
  ] as const) {
    const response = await fetch(`${web.baseUrl()}/admin/sign-in/oidc?return=/admin/keys`, {
      headers: { [name]: value },
      redirect: 'manual',
    });
    expect([response.status, response.headers.get('location')]).toEqual([303, `${web.baseUrl()}/admin/keys`]);
    expect(response.headers.getSetCookie()).toEqual([]);
  }
});

test('a sign-in begun on plain HTTP or at another host continues at the base URL, once', async () => {
  const PORT = String(await findFreePort());
  const settings = { ...storeSettings(web.database, web.redis), ...provider.settings, PORT };
  const https = await startWeb({ ...settings, BASE_URL: 'https://sho.rt/go' });
  const begin = async (query: string, headers: Record<string, string>) => {
    const request = get({ port: PORT, path: `/go/admin/sign-in/oidc?${query}`, headers });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    response.resume();
    return [response.headers.location, response.headers['set-cookie']?.length ?? 0] as const;
  };
  try {
    const there = 'https://sho.rt/go/admin/sign-in/oidc';
    const query = 'return=/go/admin/keys';
    const screen = `return=${encodeURIComponent('/admin/keys')}`;
    const moved = `${there}?${screen}&moved=1`;
    const typed = { 'sec-fetch-site': 'none' };
    expect(await begin(query, { host: 'sho.rt' })).toEqual([moved, 0]);
    expect(await begin(query, { host: 'old.sho.rt', ...typed })).toEqual([moved, 0]);
    expect(await begin(`${query}&prompt=select_account`, { host: 'sho.rt' })).toEqual([
      `${there}?${screen}&prompt=select_account&moved=1`,
      0,
    ]);
    const atProvider = expect.stringContaining(`${provider.issuer()}/auth?`);
    expect(await begin(query, { host: 'sho.rt', ...typed })).toEqual([atProvider, 1]);
    // Behind a reverse proxy that changes the host, or in an old browser.
    for (const headers of [{ host: '127.0.0.1', ...typed }, { host: 'sho.rt' }])
      expect(await begin(`${query}&moved=1`, headers)).toEqual([atProvider, 1]);
    // A browser that follows the redirect from a page of the other address.
    expect(await begin(`${query}&moved=1`, { host: 'sho.rt', 'sec-fetch-site': 'cross-site' })).toEqual([
      'https://sho.rt/go/admin/keys',
      0,
    ]);
  } finally {
    await https.stop();
  }
});

test('an answer of the provider that names another issuer is refused', async () => {
  const { browser, callback } = await comeBack();
  const url = new URL(callback);
  expect(url.searchParams.get('iss')).toBe(provider.issuer());
  url.searchParams.set('iss', 'https://evil.example');
  await expectRefused(await browser.complete(url.href), 502, 'is not valid');
});

test('HEAD and POST complete nothing', async () => {
  const { browser, callback } = await comeBack();
  const cookie = `${cookieName}=${browser.cookies(web.baseUrl()).get(cookieName)!}`;
  for (const method of ['HEAD', 'POST']) {
    const response = await fetch(callback, { method, headers: { cookie } });
    expect([response.status, response.headers.getSetCookie()]).toEqual([405, []]);
  }
  expect((await browser.complete(callback)).status).toBe(200);
});

test('one address can complete 60 sign-ins per minute, beside sign-ins with wrong API keys', async () => {
  const from = { 'x-forwarded-for': '203.0.113.9' };
  const wrong = async () =>
    await web.client(null).post('/api/v1/sessions', { api_key: 'x' }, { ...fromOwnPage, ...from });
  for (let sent = 0; sent < 10; sent += 1) expect((await wrong()).status).toBe(401);
  expect((await wrong()).status).toBe(429);
  const { browser, callback } = await comeBack();
  const kept = browser.cookies(web.baseUrl()).get(cookieName)!;
  const statuses: number[] = [];
  for (let sent = 0; sent < 62; sent += 1) {
    browser.cookies(web.baseUrl()).set(cookieName, kept);
    statuses.push((await browser.open(callback, from)).status);
  }
  expect(statuses).toEqual([200, ...Array<number>(59).fill(400), 429, 429]);
});

test('neither codes nor tokens, secrets or cookies are logged', async () => {
  const { browser, callback } = await comeBack();
  const url = new URL(callback);
  const kept = browser.cookies(web.baseUrl()).get(cookieName)!;
  await browser.complete(callback);
  const session = browser.cookies(web.baseUrl()).get('linkmill')!;
  provider.forge({ claims: { iss: 'https://evil.example', secret: 'claim-of-a-token' } });
  const other = await comeBack();
  await other.browser.complete(other.callback);
  const output = web.output();
  expect(output).toContain('/admin/sign-in/oidc/callback');
  expect(output).toContain('failed to sign a person in');
  for (const secret of [
    url.searchParams.get('code')!,
    url.searchParams.get('state')!,
    new URL(other.callback).searchParams.get('code')!,
    kept,
    session,
    'claim-of-a-token',
    'secret of the client',
    'eyJ',
  ])
    expect(output).not.toContain(secret);
});
